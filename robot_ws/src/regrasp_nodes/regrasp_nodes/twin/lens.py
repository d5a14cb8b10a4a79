"""A camera of the twin, as a RealSense's node shows one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rclpy.node import Node

from calibration.lens import Lens as Optics
from sim.twin import Frame, Twin

from ..streams import COLOUR, DEPTH, Stream, header, image_of, info_of
from ..wiring import stamp
from .stamps import Stamps

Say = Callable[[Any, Any], None]


class Lens:
    """`say` publishes, from the thread that draws."""

    def __init__(self, node: Node, name: str, twin: Twin, stamps: Stamps, say: Say) -> None:
        self._name, self._stamps, self._say = name, stamps, say
        # As calibrated: how far the twin's own lens is from that, nobody is told.
        self._lens = Optics.of(twin.cell.cameras[name])
        self._last: tuple[int, Any] | None = None
        driver = twin.cameras[name]
        kinds = {COLOUR: driver.picture, DEPTH: driver.depth}
        self._streams = {kind: Stream(node, name, kind) for kind, on in kinds.items() if on}

    def publish(self, frame: Frame) -> None:
        # A frame that comes again has its old stamp, to the nanosecond.
        if self._last is None or self._last[0] != frame.captured_ns:
            when = stamp(self._stamps.ros_ns(frame.captured_ns))
            self._last = frame.captured_ns, header(self._name, when)
        head = self._last[1]
        for kind, pixels in ((COLOUR, frame.picture), (DEPTH, frame.depth)):
            if pixels is not None:
                stream = self._streams[kind]
                self._say(stream.images, image_of(pixels, head))
                self._say(stream.infos, info_of(self._lens, head))
