"""Peers' sides of the benchmarks: each runs with its peer's interpreter, in a virtualenv apart."""
