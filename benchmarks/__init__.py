"""Benchmarks: `make bench` runs them all; every number in the README comes from here."""
