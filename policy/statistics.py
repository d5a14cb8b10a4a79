"""How sure a success rate is; it stands with the log, whose labels others count, too."""

from .experience.rate import Z95, Rate

__all__ = ["Z95", "Rate"]
