"""What the cell is: one measured, dated file that the simulator, the guard and TF live by."""
