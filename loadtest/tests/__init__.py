"""Tests of the load scenarios themselves: python3 -m unittest discover -s loadtest/tests -t loadtest (`make scenarios`)."""
