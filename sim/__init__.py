"""The cell in simulation."""
