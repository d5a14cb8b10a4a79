"""Pictures of a bin drawn by hand, for what judges them."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]
SIZE = (240, 320)
CORNERS = np.array([(60, 120), (170, 30), (270, 110), (160, 220)], np.int32)
Thing = tuple[int, int, int, tuple[int, int, int]]  # x, y, radius, colour
CLUTTER: Sequence[Thing] = ((120, 120, 12, (190, 60, 50)), (180, 90, 9, (60, 120, 180)),
                            (200, 140, 14, (230, 180, 60)))  # fmt: skip
DROPPED: Thing = (160, 150, 10, (80, 150, 80))


def mask() -> Mask:
    found = np.zeros(SIZE, np.uint8)
    cv2.fillConvexPoly(found, CORNERS, 1)
    return found.astype(bool)


def picture(
    things: Sequence[Thing] = CLUTTER,
    seed: int = 0,
    noise: float = 2.0,
    gain: float = 1.0,
    tint: tuple[float, float, float] = (1.0, 1.0, 1.0),
    shadow: float = 0.0,
    move: tuple[float, float, float] = (0.0, 0.0, 0.0),
) -> Picture:
    """On a speckled table a grey bin with a rim; `move` is the camera's: right, down, degrees."""
    coarse = np.random.default_rng(0).uniform(110, 150, (24, 32, 3))
    drawn = cv2.resize(coarse, SIZE[::-1], interpolation=cv2.INTER_CUBIC)
    cv2.fillConvexPoly(drawn, CORNERS, (95, 105, 115))
    cv2.polylines(drawn, [CORNERS], True, (60, 65, 70), 3)
    for x, y, radius, colour in things:
        cv2.circle(drawn, (x + 5, y + 4), radius, (60, 66, 72), -1)  # its shadow
        cv2.circle(drawn, (x, y), radius, colour, -1)
    v, u = np.mgrid[: SIZE[0], : SIZE[1]]
    soft = np.exp(-((((u - 190) / 70) ** 2 + ((v - 100) / 50) ** 2) ** 2))
    light = drawn * (1 - shadow * soft[..., None]) * gain * np.array(tint)
    turn = np.asarray(cv2.getRotationMatrix2D((SIZE[1] / 2, SIZE[0] / 2), move[2], 1.0), float)
    turn[:, 2] += move[:2]
    seen = cv2.warpAffine(light, turn, SIZE[::-1], borderMode=cv2.BORDER_REFLECT)
    seen = np.asarray(cv2.GaussianBlur(seen, (0, 0), 0.7), float)
    noisy = seen + np.random.default_rng([seed, 1]).normal(0, noise, seen.shape)
    return np.asarray(np.clip(noisy + 0.5, 0, 255), np.uint8)


def empty_cycles(count: int = 3, noise: float = 2.0) -> list[tuple[Picture, Picture]]:
    return [
        (picture(CLUTTER[k % 3 :], 2 * k, noise), picture(CLUTTER[k % 3 :], 2 * k + 1, noise))
        for k in range(count)
    ]
