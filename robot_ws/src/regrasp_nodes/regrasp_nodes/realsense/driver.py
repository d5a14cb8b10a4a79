"""Drives one camera: opens it, hands out each new frame once, opens it again when it is lost."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from calibration.lens import Lens

from .clock import HardwareClock
from .lens import misfit
from .library import library
from .settings import Settings
from .source import Pipeline, Source, Unplugged
from .times import times_of
from .watch import Health, Watch

POLL_MS = 100
SECOND = 1_000_000_000
SILENCE_S = 2.0  # without a new frame, before it is opened again
FIRST_S = 5.0  # the same, for the first one: cameras need time to start
BACKOFF_S = (0.5, 8.0)
PAIRED_PERIODS = 1.5  # depth farther from colour than that shows another moment
FAR_MM = np.iinfo(np.uint16).max


@dataclass(frozen=True)
class Frame:
    colour: npt.NDArray[np.uint8]  # (H, W, 3), RGB
    depth: npt.NDArray[np.uint16] | None  # (H, W), mm, aligned to colour; 0 where unknown
    captured_ns: int  # mid-exposure, by `time.monotonic_ns`
    sequence: int
    lens: Lens


class Log(Protocol):
    """What a node's logger and Python's have in common."""

    def info(self, message: str) -> Any: ...
    def warning(self, message: str) -> Any: ...
    def error(self, message: str) -> Any: ...


class Driver:
    def __init__(
        self, settings: Settings, log: Log, opener: Callable[[Settings], Source] = Pipeline
    ) -> None:
        library()  # if it is missing, that is said now
        self.serial = settings.serial
        self._settings, self._log, self._opener = settings, log, opener
        self._watch = Watch(settings.camera.period.value)
        self._stopped = threading.Event()
        self._align: Any = None
        self._captured_ns, self._delay_s = 0, BACKOFF_S[0]

    def health(self) -> Health:
        return self._watch.health(time.monotonic_ns())

    def stop(self) -> None:
        """From any thread; `run` returns soon."""
        self._stopped.set()

    def run(self, hand: Callable[[Frame], None]) -> None:
        """Until `stop`. A camera that is not there is waited for; one that does not fit the cell,
        or lacks what is asked, is refused (Invalid)."""
        while not self._stopped.is_set():
            try:
                source = self._opener(self._settings)
            except Unplugged as error:
                reason = str(error)
            else:
                try:
                    reason = self._stream(source, hand)
                finally:
                    self._watch.closed()
                    self._close(source)
            if not self._stopped.is_set():
                self._log.warning(f"{reason}; trying again in {self._delay_s:g} s")
                self._stopped.wait(self._delay_s)
                self._delay_s = min(2 * self._delay_s, BACKOFF_S[1])

    def _close(self, source: Source) -> None:
        try:
            source.close()
        except RuntimeError as error:  # of one that is gone already
            self._log.info(f"the camera did not close: {error}")

    def _stream(self, source: Source, hand: Callable[[Frame], None]) -> str:
        """Hand out its frames; why it ended."""
        if told := misfit(source.lens, self._settings.camera):
            self._log.warning(told)
        self.serial = source.serial
        self._log.info(f"camera {source.serial or '(no serial number)'} is open")
        self._align = library().align(library().stream.color)
        clock, frozen, first, second = HardwareClock(), False, True, 0
        self._watch.opened(time.monotonic_ns())
        while not self._stopped.is_set():
            try:
                frames = source.take(POLL_MS)
                frame = None if frames is None else self._frame(frames, source, clock)
            except RuntimeError as error:
                return f"the camera is lost: {error}"
            now = time.monotonic_ns()
            silence = self._watch.silent_s(now)
            if frame is not None:
                if first and clock.resets < 0:  # it was not asked
                    self._log.warning("frames come without the camera's clock: enable metadata")
                if frozen:
                    self._log.info("new frames come again")
                frozen = first = False
                self._delay_s = BACKOFF_S[0]
                hand(frame)
            elif silence > (FIRST_S if first else SILENCE_S):
                return f"no new frame for {silence:.1f} s"
            elif self._watch.frozen(now) and not frozen and not first:
                frozen = True
                self._log.error(f"frozen: no new frame for {silence:.2f} s")
            if now // SECOND != second:
                second = now // SECOND
                self._measure(source, clock)
        return "stopped"

    def _measure(self, source: Source, clock: HardwareClock) -> None:
        try:
            temperature = source.temperature()
        except RuntimeError:  # if the camera is lost, its frames will tell
            temperature = None
        self._watch.measured(clock.residual_ns / 1e9, clock.drift, temperature)

    def _frame(self, frames: Any, source: Source, clock: HardwareClock) -> Frame | None:
        """None if it is no new one."""
        shown = frames.get_color_frame()
        if not shown:
            return None
        times, sequence = times_of(shown, source.recorded), shown.get_frame_number()
        colour = np.asanyarray(shown.get_data()).copy()
        colour.flags.writeable = False  # the next one is compared with it
        if not self._watch.is_new(sequence, colour):
            return None
        captured = times.arrived_ns
        if times.ticks_us is not None:
            captured = clock.host_ns(times.ticks_us, times.arrived_ns) - times.lag_ns
        # Never later than now nor before the last one: an early fit may have been late.
        captured = max(min(captured, time.monotonic_ns()), self._captured_ns + 1)
        self._captured_ns = captured
        depth = self._depth(frames, shown) if self._settings.depth else None
        paired = depth is not None or not self._settings.depth
        self._watch.handed(time.monotonic_ns(), captured, paired)
        return Frame(colour, depth, captured, sequence, source.lens)

    def _depth(self, frames: Any, shown: Any) -> npt.NDArray[np.uint16] | None:
        """In mm, whatever the camera counts in; None if it is of another moment than colour."""
        measured = frames.get_depth_frame()
        if not measured:
            return None
        one_clock = measured.get_frame_timestamp_domain() == shown.get_frame_timestamp_domain()
        apart_s = abs(measured.get_timestamp() - shown.get_timestamp()) / 1e3
        if one_clock and apart_s > PAIRED_PERIODS * self._settings.camera.period.value:
            return None
        aligned = self._align.process(frames).get_depth_frame()
        counts: npt.NDArray[np.uint16] = np.asanyarray(aligned.get_data())
        mm_each = np.float32(measured.get_units() * 1e3)
        if abs(mm_each - 1) < 1e-6:
            return counts.copy()
        millimetres: npt.NDArray[np.float32] = np.minimum(counts * mm_each, FAR_MM)
        return np.rint(millimetres).astype(np.uint16)
