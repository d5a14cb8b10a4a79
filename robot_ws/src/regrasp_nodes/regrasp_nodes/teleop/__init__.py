"""From a person's device to the contract's action. Nothing of ROS is in it."""

from .keys import Keys
from .pad import DEVICES, Device, Orders, Pad

__all__ = ["DEVICES", "Device", "Keys", "Orders", "Pad"]
