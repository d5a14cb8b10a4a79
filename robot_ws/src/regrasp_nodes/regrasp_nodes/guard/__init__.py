"""What stands between everybody's wishes and the arm. Nothing of ROS is in it."""

from .guard import Command, Done, Guard, Patience, Sensed, Step
from .limits import Limits
from .reference import Motion

__all__ = ["Command", "Done", "Guard", "Limits", "Motion", "Patience", "Sensed", "Step"]
