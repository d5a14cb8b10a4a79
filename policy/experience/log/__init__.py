"""The episode log: written so that no crash can spoil it, read so that no damage is believed.

from policy.experience.log import EpisodeWriter, open_index, read_episode
"""

from .index import Entry, Index, open_index
from .reader import read_episode
from .verdicts import VerdictWriter
from .writer import EpisodeWriter

__all__ = ["Entry", "EpisodeWriter", "Index", "VerdictWriter", "open_index", "read_episode"]
