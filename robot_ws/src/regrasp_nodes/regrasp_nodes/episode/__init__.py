"""One episode after another: what is done in which order, and what is written down of it."""
