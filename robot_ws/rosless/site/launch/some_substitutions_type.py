"""Where ROS 2 keeps the type."""

from .substitution import SomeSubstitutionsType

__all__ = ["SomeSubstitutionsType"]
