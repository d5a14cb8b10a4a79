"""The replay: frames stored once, transitions drawn in memory's own time.

from policy.experience.replay import Draw, Prefetcher, Ring, RingWriter, Sampler, Source
"""

from .prefetch import Prefetcher
from .ring import Ring
from .ringwriter import RingWriter
from .sampler import Batch, Draw, Sampler, Source

__all__ = ["Batch", "Draw", "Prefetcher", "Ring", "RingWriter", "Sampler", "Source"]
