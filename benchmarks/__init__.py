"""Each performance claim as a runnable comparison against a peer: benchmarks/README.md."""
