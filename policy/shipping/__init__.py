"""A log and models between two machines: the robot's, and the one that learns."""
