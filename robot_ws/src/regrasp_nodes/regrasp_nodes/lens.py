"""What a camera's picture says of directions, in ROS's words."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Lens:
    """`plumb_bob` has five terms, `equidistant` four."""

    width: int
    height: int
    focal: tuple[float, float]
    centre: tuple[float, float]
    distortion_model: str
    distortion: tuple[float, ...]
