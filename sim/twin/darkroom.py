"""Where the twin's frames are drawn, and handed out when they are due: one thread owns the
graphics context, because a context belongs to one.

In lockstep that is the caller's own thread, and a frame that nobody follows is drawn only when it
is asked for; its pixels are the same, because noise is seeded by the frame's number.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace

import mujoco

from ..camera import Drawer
from .faults import Faults
from .feed import MOST_WAITING, Feed
from .film import Frame, Shot
from .pace import Pace, Timeline
from .topic import Subscription

READY_S = 60.0
GRAIN_S = 0.0005


class Darkroom:
    def __init__(
        self,
        model: mujoco.MjModel,
        shadows: bool,
        timeline: Timeline,
        pace: Pace | None,
        fail: Callable[[BaseException], None],
    ) -> None:
        """With a pace there is a thread, without one the caller's own time is it."""
        self._model, self._shadows, self._time, self._pace = model, shadows, timeline, pace
        self._fail = fail
        self.drawing = threading.Lock()  # held while the model's looks are read, or edited
        self._drawer: Drawer | None = None
        self._owner: int | None = None
        self._work = threading.Condition()
        self._shots: deque[tuple[Feed, Shot]] = deque()  # to be drawn
        self._done: list[tuple[Feed, Shot]] = []  # to be handed out
        self._unseen: dict[str, Shot] = {}  # lockstep: arrived, not yet drawn
        self._turn, self._turns = 0, dict[str, int]()  # who was drawn when
        self._stopping = False
        self._ready = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="twin darkroom", daemon=True)
        self._thread.start()
        self._ready.wait(READY_S)

    def accept(self, feed: Feed, shot: Shot) -> None:
        """A complete exposure. Too many of a camera's, and its oldest is lost."""
        with self._work:
            self._shots.append((feed, shot))
            mine = [pair for pair in self._shots if pair[0] is feed]
            if self._pace is not None and len(mine) > MOST_WAITING:
                self._shots.remove(mine[0])
                feed.discard(mine[0][1])
                feed.counts.overrun += 1
            self._work.notify_all()

    def empty(self) -> None:
        """Forget what was exposed and not yet drawn: the world is about to be another."""
        with self._work:
            for feed, shot in [*self._shots, *self._done]:
                feed.discard(shot)
            self._shots.clear()
            self._done.clear()
            self._unseen.clear()

    def close(self) -> None:
        with self._work:
            self._stopping = True
            self._work.notify_all()
        if self._thread is not None:
            self._thread.join(READY_S)
        elif self._drawer is not None:
            self._mine()
            self._drawer.close()
            self._drawer = None

    # In lockstep --------------------------------------------------------------------------------

    def deliver(self, now_ns: int) -> None:
        for feed, shot in list(self._shots):
            if shot.arrival_ns > now_ns:
                continue
            self._shots.remove((feed, shot))
            feed.counts.delivered += 1
            before = self._unseen.pop(feed.name, None)
            if before is not None:
                if shot.states:
                    feed.discard(before)
                else:  # it repeats the one before
                    self._develop(feed, before)
            if feed.frames.followed:
                self._show(feed, shot)
            else:
                self._unseen[feed.name] = shot

    def latest(self, feed: Feed) -> Frame | None:
        if self._pace is None and feed.name in self._unseen:
            self._show(feed, self._unseen.pop(feed.name))
        return feed.frames.latest()

    def _show(self, feed: Feed, shot: Shot) -> None:
        self._develop(feed, shot)
        if shot.frame is not None:
            feed.frames.publish(shot.frame)

    # Drawing ------------------------------------------------------------------------------------

    def _develop(self, feed: Feed, shot: Shot) -> None:
        begin = time.perf_counter()
        with self.drawing:
            drawn = bool(shot.states)
            feed.develop(shot, self._mine, self._shadows)
        if drawn:
            feed.counts.develop_s += time.perf_counter() - begin
            feed.counts.developed += 1

    def _mine(self) -> Drawer:
        """The drawer, for the thread that made it."""
        if self._drawer is None:
            # A thread's context is its own; in lockstep it may be an environment's, too.
            make = Drawer if self._pace is not None else Drawer.shared
            self._drawer, self._owner = make(self._model), threading.get_ident()
        if self._owner != threading.get_ident():
            raise RuntimeError("twin: a graphics context belongs to one thread: advance from that")
        return self._drawer

    def _run(self) -> None:
        try:
            self._mine()
            self._ready.set()
            while not self._stopping:
                self._one_round()
        except BaseException as error:  # noqa: BLE001 - the twin's users raise it
            self._fail(error)
        finally:
            self._ready.set()
            if self._drawer is not None:
                self._drawer.close()

    def _next(self) -> tuple[Feed, Shot]:
        """The oldest shot of the camera that has waited for its turn the longest."""
        taken = min(self._shots, key=lambda pair: self._turns.get(pair[0].name, 0))
        self._shots.remove(taken)
        self._turns[taken[0].name] = self._turn = self._turn + 1
        return taken

    def _one_round(self) -> None:
        assert self._pace is not None
        with self._work:
            if not self._shots:
                due = min((shot.arrival_ns for _, shot in self._done), default=None)
                # The physics' clock goes in steps: what is due may be a moment from being so.
                left = 0.1 if due is None else self._pace.wait_s(due)
                self._work.wait(min(0.1, max(GRAIN_S, left)))
            taken = self._next() if self._shots and not self._stopping else None
        if taken is not None:
            self._develop(*taken)
            with self._work:
                self._done.append(taken)
        with self._work:
            now = self._time.now_ns
            due_now = [pair for pair in self._done if pair[1].arrival_ns <= now]
            self._done = [pair for pair in self._done if pair[1].arrival_ns > now]
        for feed, shot in due_now:
            feed.counts.delivered += 1
            if shot.frame is None:
                continue
            # A few ms are the grain of the wake-up; beyond, drawing held it up.
            feed.counts.late += now - shot.arrival_ns > 5_000_000
            feed.frames.publish(replace(shot.frame, arrived_ns=now))


class CameraDriver:
    def __init__(self, feed: Feed, darkroom: Darkroom, faults: Callable[[], Faults]) -> None:
        self._feed, self._darkroom, self._faults = feed, darkroom, faults

    @property
    def picture(self) -> bool:
        """Whether its frames have a picture."""
        return self._feed.film.picture

    @property
    def depth(self) -> bool:
        """Whether its frames have depth."""
        return self._feed.film.depth

    @property
    def connected(self) -> bool:
        return self._feed.name not in self._faults().disconnect

    def latest(self) -> Frame | None:
        """The newest frame that has arrived; None before the first."""
        return self._darkroom.latest(self._feed)

    def subscribe(self, depth: int = 2) -> Subscription[Frame]:
        return self._feed.frames.subscribe(depth)

    def listen(self, callback: Callable[[Frame], None]) -> Callable[[], None]:
        """Each frame, in the drawing thread; see `Topic.listen`."""
        return self._feed.frames.listen(callback)
