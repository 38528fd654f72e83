terraform {
  required_version = ">= 1.11"
  required_providers {
    aviatrix = {
      source = "AviatrixSystems/aviatrix"
      # The provider goes with the Controller: pin it to the Controller's release where you call this module.
      version = ">= 8.1"
    }
  }
}
