"""The cell's nodes. A node file holds wiring; what it does stands beside it, or in other parts."""
