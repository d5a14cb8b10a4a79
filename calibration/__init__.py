"""What the cell is: one measured, dated file that the simulator, the guard and TF live by.

from calibration import load_cell

cell = load_cell("calibration/cells/twin.yaml")
"""

from .cell import Cell
from .cellfile import load_cell, save_cell

__all__ = ["Cell", "load_cell", "save_cell"]
