"""Tests of the bench: `python3 -m unittest discover -s loadtest/peers`."""
