"""The cell as its hardware would be, seen from outside."""

from .armstate import ArmState
from .claw import ClawState
from .config import Health, Truth, TwinConfig
from .faults import Faults
from .feed import FeedConfig
from .film import Frame
from .topic import Closed
from .twin import Twin

__all__ = [
    "ArmState",
    "ClawState",
    "Closed",
    "Faults",
    "FeedConfig",
    "Frame",
    "Health",
    "Truth",
    "Twin",
    "TwinConfig",
]
