"""The cell as its hardware would be, seen from outside."""

from .config import Health, Truth, TwinConfig
from .faults import Faults
from .twin import Twin

__all__ = ["Faults", "Health", "Truth", "Twin", "TwinConfig"]
