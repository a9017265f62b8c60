"""The made-up people that the tiny benchmarks are written from, and what writes them."""
