"""Where a policy will work: which cell, and what its cameras give before anything is reduced.

A learner sees pictures of its network's size. Whoever offers them says with this what they are
made from, so that the exported policy can be fed the raw frames.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from .card import Preprocessing
from .specs import Interface
from .strict import Invalid, Strict

Row = tuple[float, float, float, float]


@dataclass(frozen=True)
class View(Strict):
    """Where a calibrated camera sees what lies in the cell: the matrix takes a place to homogeneous
    pixels of the raw frame. A fixed camera's places are (tcp_x, tcp_y, tcp_height, 1), as
    proprioception has them; a wrist camera's are seen from the TCP: metres ahead of it along its
    yaw, to the left, above, and 1. A lens's distortion is left out."""

    image: str
    matrix: tuple[Row, Row, Row]
    wrist: bool = False


@dataclass(frozen=True)
class Deployment(Strict):
    cell_id: str
    interface: Interface  # with the raw frames
    preprocessing: tuple[Preprocessing, ...]
    views: tuple[View, ...] = ()  # of the cameras that are calibrated

    @classmethod
    def as_seen(cls, cell_id: str, interface: Interface) -> Deployment:
        """Frames are already of the network's size."""
        images = interface.observation.images
        whole = tuple(
            Preprocessing(i.name, (0, 0, i.height, i.width), (i.height, i.width)) for i in images
        )
        return cls(cell_id, interface, whole)

    @property
    def seen(self) -> Interface:
        """The interface behind the preprocessing, as a learner has it."""
        steps = {step.image: step for step in self.preprocessing}
        images = self.interface.observation.images
        for image in images:
            if image.name not in steps:
                wanted = f"a step for {image.name}"
                raise Invalid("preprocessing", sorted(steps), wanted, "name each camera once")
        reduced = tuple(
            replace(i, height=steps[i.name].size[0], width=steps[i.name].size[1]) for i in images
        )
        return replace(
            self.interface, observation=replace(self.interface.observation, images=reduced)
        )
