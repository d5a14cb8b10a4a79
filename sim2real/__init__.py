"""Translators between simulated and real pictures, and the measurement of the reality gap."""
