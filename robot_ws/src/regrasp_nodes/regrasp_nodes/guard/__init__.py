"""What stands between everybody's wishes and the arm. Nothing of ROS is in it."""

from .guard import Guard
from .limits import Limits
from .reference import Motion
from .values import Command, Done, Patience, Sensed, Step

__all__ = ["Command", "Done", "Guard", "Limits", "Motion", "Patience", "Sensed", "Step"]
