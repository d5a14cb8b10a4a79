"""What no sensor tells, as JSON: for tests and measurements. Nothing of ROS is in it."""

from __future__ import annotations

import json

from calibration import Cell
from sim.bin import inside
from sim.twin import Truth


def told(cell: Cell, truth: Truth) -> str:
    lying = inside(cell.bin, truth.object_positions)
    if truth.held is not None:
        lying[truth.held] = False
    return json.dumps(
        {
            "time": truth.time_ns * 1e-9,
            "objects": len(truth.object_positions),
            "objects_in_bin": int(lying.sum()),
            "held": truth.held is not None,
            "tcp": [float(v) for v in truth.tcp_position],
            "yaw": truth.tcp_yaw,
            "aperture": truth.aperture,
        }
    )
