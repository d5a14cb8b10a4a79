"""Have the next batch ready while the learner works on this one."""

from __future__ import annotations

import queue
import threading

import torch

from .sampler import Batch, Sampler


class Prefetcher:
    """
    with Prefetcher(sampler, size=256) as batches:
        batch = next(batches)

    A thread fills a fixed set of batches in turn; copying frames releases the interpreter lock, so
    it runs beside the learner. A batch is yours until the next call of `next`, which takes it back
    to be filled again: nothing is allocated while training. With a CUDA `device` (and a sampler
    that pins) you get a copy there, made while the GPU works, that is yours for good.
    """

    def __init__(
        self, sampler: Sampler, size: int, depth: int = 2, device: torch.device | str = "cpu"
    ) -> None:
        self._sampler, self._size = sampler, size
        self._device = torch.device(device)
        self._free: queue.SimpleQueue[Batch | None] = queue.SimpleQueue()
        self._ready: queue.SimpleQueue[Batch | BaseException] = queue.SimpleQueue()
        self._lent: Batch | None = None
        self._copied: torch.cuda.Event | None = None
        self._stopped = False
        for _ in range(depth + 1):
            self._free.put(sampler.allocate(size))
        self._thread = threading.Thread(target=self._work, name="prefetch", daemon=True)
        self._thread.start()
        # Beside it, as a ring that is not cached yet is read from the disk for a while.
        threading.Thread(target=self._warm, name="warm", daemon=True).start()

    def __iter__(self) -> Prefetcher:
        return self

    def __next__(self) -> Batch:
        if self._stopped:
            raise StopIteration
        if self._lent is not None:
            if self._copied is not None:
                self._copied.synchronize()  # else it would be filled while the GPU still reads it
            self._free.put(self._lent)
            self._lent = None
        item = self._ready.get()
        if isinstance(item, BaseException):
            self.close()
            raise item
        self._lent = item
        if self._device.type != "cuda":
            return item
        moved = item.to(self._device, non_blocking=True)
        self._copied = torch.cuda.Event()  # type: ignore[no-untyped-call]
        self._copied.record(torch.cuda.current_stream(self._device))
        return moved

    def close(self) -> None:
        """End the thread; batches handed out stay valid."""
        self._stopped = True
        self._free.put(None)
        self._thread.join()

    def __enter__(self) -> Prefetcher:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _warm(self) -> None:
        for source in self._sampler.sources:
            source.ring.warm()

    def _work(self) -> None:
        try:
            while not self._stopped and (batch := self._free.get()) is not None:
                self._ready.put(self._sampler.sample(self._size, batch))
        except Exception as error:  # noqa: BLE001 (handed to the consumer, who raises it)
            self._ready.put(error)
