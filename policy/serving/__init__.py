"""A policy for robots that are elsewhere: in the next process, or on another machine."""
