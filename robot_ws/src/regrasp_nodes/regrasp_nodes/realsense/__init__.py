"""A RealSense, without ROS: colour, aligned depth, and when they were taken.

Driver(Settings(cell.cameras["front"]), logging.getLogger()).run(print)
"""

from .driver import Driver, Frame
from .settings import EXPOSURE_US, WHITE_BALANCE_K, Settings
from .watch import Health

__all__ = [
    "EXPOSURE_US",
    "WHITE_BALANCE_K",
    "Driver",
    "Frame",
    "Health",
    "Settings",
]
