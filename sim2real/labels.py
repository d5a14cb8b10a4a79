"""What a detector is taught: of things, a simulator's pictures by masks, a cell's by what can be
known of them without a person; of the hand, both by joints and calibration.

Where the cell's hand has closed on a thing and held it, that thing lay before; and out of its reach
is none of those that are meant. All else in its pictures is unknown, and counts neither way.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from policy.contract import Invalid
from policy.contract.canonical import canonical_mask

from .boxes import HAND, THING, Array, Found, sure, things_in
from .data import Domain, Pictures, as_tensor
from .detector import Targets, anchors, targets
from .kinematics import Calibrated


@dataclass(frozen=True)
class Lessons:
    """Pictures, and by anchor what is to be said of them."""

    pictures: Pictures
    wanted: Targets

    @classmethod
    def of(cls, pictures: Pictures, wanted: list[Targets]) -> Lessons:
        classes = torch.stack([one.classes for one in wanted])
        return cls(pictures, Targets(classes, torch.stack([one.boxes for one in wanted])))

    def draw(self, count: int) -> tuple[Tensor, Targets]:
        rows = torch.randint(len(self.pictures), (count,))
        wanted = Targets(self.wanted.classes[rows], self.wanted.boxes[rows])
        return as_tensor(self.pictures[rows.numpy()]), wanted


def masks_of(domain: Domain, camera: str) -> Pictures:
    """(N, H, W), a mask a picture."""
    where, name = f"log of {domain.name}", canonical_mask(camera)
    if not domain.logged or any(name not in one.images for one in domain.logged):
        found, wanted = "pictures without masks", f"masks of {camera}"
        raise Invalid(where, found, wanted, "collect it with --canonical")
    masks: Pictures = np.concatenate([one.images[name] for one in domain.logged])[..., 0]
    if masks.shape != domain.pictures.shape[:3]:
        found, wanted = f"masks {masks.shape[1:]}", f"of {domain.size} px, as the pictures"
        raise Invalid(where, found, wanted, "collect it with that --size")
    return masks


def things_of(domain: Domain, camera: str) -> list[Found]:
    return [things_in(mask) for mask in masks_of(domain, camera)]


def hands_of(domain: Domain, camera: Calibrated) -> list[Found]:
    hands = (hand for episode in domain.logged for hand in camera.hands(episode))
    return [sure(hand[None], HAND) for hand in hands]


def of_simulator(domain: Domain, shown: list[Found]) -> Lessons:
    places = anchors(domain.size)
    return Lessons.of(domain.pictures, [targets(found, places) for found in shown])


def of_cell(domain: Domain, camera: Calibrated) -> Lessons:
    """Never by masks, even where a twin logs them."""
    places = anchors(domain.size)
    column, row = places.long().unbind(1)
    barren = torch.from_numpy(camera.barren())[row, column]
    lain = [place for episode in domain.logged for place in camera.grasped(episode)]
    wanted = []
    for hand, place in zip(hands_of(domain, camera), lain, strict=True):
        one = targets(hand, places)
        one.classes[:, THING] = torch.where(barren, 0.0, torch.nan)
        if place is not None and not _covers(hand.boxes[0], place):
            nearest = (places - torch.from_numpy(place)).abs().sum(1).argmin()
            one.classes[nearest, THING] = 1.0
        wanted.append(one)
    return Lessons.of(domain.pictures, wanted)


def _covers(box: Array, place: Array) -> bool:
    return bool((box[:2] <= place).all() and (place <= box[2:]).all())
