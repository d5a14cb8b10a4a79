"""What is known of an observation beside its picture: how open the fingers, how full the bin."""

from __future__ import annotations

import numpy as np

from policy.contract import Invalid
from policy.experience.episode import Episode, EpisodeInfo

State = tuple[str, str]  # of the fingers and of the bin
APERTURE = "gripper_aperture"
UNTOLD = ""
GRIP = ("closed", "between", "open")
SHUT, WIDE = 0.1, 0.9  # of the aperture's range
FULL = 6  # things in the bin: from here on it is full


def states_of(episode: Episode) -> list[State]:
    """Of each observation: the fingers' and the bin's."""
    bin_state = fill_of(episode.info)
    names = [entry.name for entry in episode.info.interface.observation.proprio]
    if APERTURE not in names:
        return [(UNTOLD, bin_state)] * (len(episode) + 1)
    k = names.index(APERTURE)
    entry, values = episode.info.interface.observation.proprio[k], episode.proprio[:, k]
    if not np.isfinite(values).all():
        found = f"{int((~np.isfinite(values)).sum())} of {len(values)} not finite"
        field_name = f"{episode.info.episode_id}: proprio.{APERTURE}"
        raise Invalid(field_name, found, "finite", "repair what reads it, leave the episode out")
    share = (values - entry.low) / (entry.high - entry.low)
    grips = np.digitize(share, (SHUT, WIDE))
    return [(GRIP[grip], bin_state) for grip in grips]


def fill_of(info: EpisodeInfo) -> str:
    """The simulator logs what lies in the bin, in a twin's room too; a cell does not know."""
    things = info.parameters.get("things")
    if not isinstance(things, list):
        return UNTOLD
    return "full bin" if len(things) >= FULL else "sparse bin"
