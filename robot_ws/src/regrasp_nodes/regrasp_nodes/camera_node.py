"""A RealSense as realsense-ros shows one: colour, depth aligned to it, and when they were taken."""

from __future__ import annotations

import sys
import time
from concurrent.futures import Future, ThreadPoolExecutor

from rclpy.node import Node

from policy.contract import Invalid

from .realsense import EXPOSURE_US, WHITE_BALANCE_K, Driver, Frame, Settings
from .streams import COLOUR, DEPTH, Stream, header, image_of, info_of
from .wiring import ERROR, OK, WARN, Diagnostics, Health, cell_of, now_ns, parameter, run, stamp

SLOW = 0.9  # of the rate that was asked for
# ROS takes digits for a number, and a number for no text.
SERIAL = "serial number behind an underscore, as for realsense-ros; empty: the only camera there is"


class CameraNode(Node):
    def __init__(self) -> None:
        super().__init__("camera")
        cell = cell_of(self)
        self.camera = parameter(self, "camera", "front", "name in the cell file")
        if self.camera not in cell.cameras:
            wanted = f"a camera of cell '{cell.id}': {', '.join(cell.cameras)}"
            raise Invalid("camera", self.camera, wanted, "name one of them, or add it to the cell")
        self._settings = Settings(
            camera=cell.cameras[self.camera],
            serial=parameter(self, "serial", "", SERIAL).removeprefix("_"),
            recording=parameter(self, "recording", "", "file to play over and over instead"),
            depth=parameter(self, "depth", True, "depth too, aligned to colour"),
            exposure=parameter(self, "exposure", 0, "us; 0: automatic", *EXPOSURE_US),
            white_balance=parameter(self, "white_balance", 0, "K; 0: automatic", *WHITE_BALANCE_K),
        )
        self._driver = Driver(self._settings, self.get_logger())
        self._colour = Stream(self, self.camera, COLOUR)
        self._depth = Stream(self, self.camera, DEPTH)
        self._missed = 0
        Diagnostics(self, self._health)
        self._end = self.create_guard_condition(self._on_end)
        self._thread = ThreadPoolExecutor(1, "realsense")
        self._driving: Future[None] = self._thread.submit(self._driver.run, self._publish)
        self._driving.add_done_callback(lambda _: self._end.trigger())

    def destroy_node(self) -> None:
        if hasattr(self, "_thread"):
            self._driver.stop()
            self._thread.shutdown()
        super().destroy_node()

    def _on_end(self) -> None:
        """The driver stops by itself only if the camera cannot be used as it is."""
        try:
            self._driving.result()
        except Invalid as fault:
            print(fault, file=sys.stderr)
            sys.exit(2)

    # Out ----------------------------------------------------------------------------------------

    def _publish(self, frame: Frame) -> None:
        """In the driver's thread."""
        taken = now_ns(self) - (time.monotonic_ns() - frame.captured_ns)
        head = header(self.camera, stamp(max(taken, 0)))
        for stream, pixels in ((self._colour, frame.colour), (self._depth, frame.depth)):
            if pixels is not None:
                stream.images.publish(image_of(pixels, head))
                stream.infos.publish(info_of(frame.lens, head))

    def _health(self) -> Health:
        health = self._driver.health()
        missed = health.dropped + health.duplicates + health.unpaired
        self._missed, more = missed, missed - self._missed
        figures = {
            "serial": self._driver.serial,
            "rate (1/s)": f"{health.rate:.1f}",
            "age p50 (ms)": f"{health.age_p50 * 1e3:.1f}",
            "age p99 (ms)": f"{health.age_p99 * 1e3:.1f}",
            "frames": health.handed,
            "dropped": health.dropped,
            "duplicates": health.duplicates,
            "without depth": health.unpaired,
            "frozen": health.frozen,
            "opened": health.opened,
            "clock fit residual (ms)": f"{health.clock_residual * 1e3:.3f}",
            "clock drift (ppm)": f"{health.clock_drift * 1e6:.1f}",
        }
        if health.temperature is not None:
            figures["temperature (C)"] = f"{health.temperature:.0f}"
        if not health.connected:
            return ERROR, "no camera", figures
        if health.frozen:
            return ERROR, "frozen", figures
        if health.rate < SLOW * self._settings.rate:
            return WARN, f"{health.rate:.1f} of {self._settings.rate} frames a second", figures
        if more:
            return WARN, f"{more} frames were dropped, came twice, or without depth", figures
        return OK, "streams", figures


def main(args: list[str] | None = None) -> None:
    run(CameraNode, args)


if __name__ == "__main__":
    main()
