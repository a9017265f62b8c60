"""Benchmarks: `make bench` runs them all; every number in README and docs comes from here."""
