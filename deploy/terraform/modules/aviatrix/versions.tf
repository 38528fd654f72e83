terraform {
  required_version = ">= 1.11"
  required_providers {
    aviatrix = {
      source  = "AviatrixSystems/aviatrix"
      version = ">= 3.1"
    }
  }
}
