"""What a translator makes of pictures that it was not trained on, at one glance."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from torch import Tensor

from policy.experience.pictures import captioned, stacked

from .data import Pictures, as_pictures, as_tensor
from .pairs import Pairs, parts_of
from .rcan import Rcan
from .translator import Translator

COLUMNS, ZOOM = 8, 2
PARTS = ("canonical picture", "mask", "depth")
# Surroundings, bin, robot, things.
PAINTS = torch.tensor([(40, 40, 40), (70, 110, 170), (220, 220, 220), (230, 120, 40)]) / 127.5 - 1


def grid(translator: Translator, sim: Pictures, cell: Pictures, device: str) -> Pictures:
    """The simulator's pictures, their translations, and back from there; then the cell's, and, of
    a translator that can, back to the simulator."""
    shown, real = as_tensor(sim[:COLUMNS]).to(device), as_tensor(cell[:COLUMNS]).to(device)
    there = translator.translate(shown)
    rows = [("simulator", shown), ("translated", there)]
    if (again := translator.back(there)) is not None:
        rows.append(("and back", again))
    rows.append(("cell", real))
    if (simulated := translator.back(real)) is not None:
        rows.append(("as simulated", simulated))
    return stacked([captioned(row(as_pictures(pictures)), name) for name, pictures in rows])


def canonical_grid(rcan: Rcan, pairs: Pairs, device: str) -> Pictures:
    """Randomised pictures; what is made of them, and what they are: picture, mask and depth; then
    the cell's pictures, and what is made of those."""
    shown, truth = pairs.some(COLUMNS)
    cell = pairs.cell.some(COLUMNS)
    rows = {"randomised": shown}
    made = rcan.understand(as_tensor(shown).to(device)).cpu()
    for name, as_made, as_it_is in zip(PARTS, _parts(made), _parts(truth), strict=True):
        rows |= {f"{name}, as painted": as_made, f"{name}, as it is": as_it_is}
    rows["cell"] = cell
    made = rcan.understand(as_tensor(cell).to(device)).cpu()
    rows |= {f"cell, {name}": part for name, part in zip(PARTS, _parts(made), strict=True)}
    return stacked([captioned(row(pictures), name) for name, pictures in rows.items()])


def _parts(truth: Tensor) -> list[Pictures]:
    picture, mask, depth = parts_of(truth)
    kinds = PAINTS[mask.argmax(dim=1)].permute(0, 3, 1, 2)
    grey = depth.nan_to_num(-1.0).expand(-1, 3, -1, -1)
    return [as_pictures(part) for part in (picture, kinds, grey)]


def row(pictures: Pictures) -> Pictures:
    """Side by side, large enough to be looked at."""
    side = np.hstack(list(pictures))
    large = cv2.resize(side, None, fx=ZOOM, fy=ZOOM, interpolation=cv2.INTER_NEAREST)
    return np.asarray(large, np.uint8)
