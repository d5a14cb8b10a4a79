"""What a simulator can log beside a camera's picture: the very state as its plainest look has it,
how far away everything is there, and what each pixel shows. No cell has these; who learns to make
them of its pictures reads them by these names."""

from __future__ import annotations

# Of a mask's bytes. From THINGS on, thing by thing.
SURROUNDINGS, BIN, ROBOT, THINGS = range(4)


def canonical(camera: str) -> str:
    return f"{camera}_canonical"


def canonical_depth(camera: str) -> str:
    """Exact, in the bytes of depth.py."""
    return f"{camera}_canonical_depth"


def canonical_mask(camera: str) -> str:
    return f"{camera}_canonical_mask"
