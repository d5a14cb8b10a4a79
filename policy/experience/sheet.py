"""A contact sheet: an episode at one glance."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from .episode import Driver, Episode, Frame
from .pictures import captioned, headed

TILE = 160  # pixels, the height of a picture on the sheet
COLUMNS = 8
# Who drove, as the colour of the bar under a picture (RGB).
DRIVERS = {
    Driver.NOBODY: (200, 200, 200),
    Driver.POLICY: (46, 110, 190),
    Driver.HUMAN: (220, 120, 30),
    Driver.SCRIPT: (90, 150, 80),
}


def contact_sheet(episode: Episode, pictures: int = 24) -> Frame:
    """RGB sheet of up to `pictures` steps, evenly spread, first and last included; one row of
    pictures a camera. The bar below a picture tells who drove there: policy blue, person orange,
    script green."""
    count = min(pictures, len(episode) + 1)
    steps = np.unique(np.linspace(0, len(episode), count).round().astype(int))
    blocks = [steps[i : i + COLUMNS] for i in range(0, len(steps), COLUMNS)]
    rows = [_row(episode, camera, block) for block in blocks for camera in episode.images]
    return headed(_headline(episode), rows, 640)


def _headline(episode: Episode) -> tuple[str, str]:
    info = episode.info
    ending = "terminated" if episode.terminated else "truncated"
    label = {True: "success", False: "failure", None: "not judged"}[episode.success]
    who = ", ".join(
        f"{driver.name.lower()} {int((episode.driver[1:] == driver).sum())}"
        for driver in Driver
        if (episode.driver[1:] == driver).any()
    )
    first = f"{info.episode_id}  {info.task}  source {info.source}  cell {info.cell_id or '-'}"
    second = (
        f"{len(episode)} actions ({who})  return {episode.episode_return:.3g}  {ending}  {label}"
    )
    return first, second


def _row(episode: Episode, camera: str, steps: npt.NDArray[np.intp]) -> Frame:
    return np.hstack([_tile(episode, camera, int(k)) for k in steps])


def _tile(episode: Episode, camera: str, k: int) -> Frame:
    frame = episode.images[camera][k]
    width = round(TILE * frame.shape[1] / frame.shape[0])
    shrinks = frame.shape[0] > TILE
    picture = cv2.resize(
        frame, (width, TILE), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_NEAREST
    )
    if picture.ndim == 2:  # one channel: cv2 drops the axis
        picture = cv2.cvtColor(picture, cv2.COLOR_GRAY2RGB)
    text = f"{k}" if k == 0 else f"{k}  r {episode.reward[k]:.2g}"
    return captioned(picture[..., :3], text, DRIVERS[Driver(int(episode.driver[k]))])
