"""Learners: one algorithm a file, its defaults the published ones."""
