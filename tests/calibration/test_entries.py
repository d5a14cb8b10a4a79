"""What was identified goes into a cell file, and comes out as it was."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from calibration import entries
from calibration.dynamics import Joints
from calibration.image_motion import Age
from calibration.image_statistics import Found
from calibration.latency import Dead
from calibration.slip import Friction
from calibration.write import write
from sim.env import TWIN


def test_all_that_is_identified_fits_the_cell_file(tmp_path: Path) -> None:
    path = tmp_path / "cell.yaml"
    path.write_bytes(TWIN.read_bytes())
    seven = np.linspace(0.1, 0.7, 7)
    joints = Joints(seven, 2 * seven, 3 * seven, 0.8, (seven, seven, seven, 0.01), 0.0, 0.02)
    cell = write(
        path,
        entries.latency("command", Dead(0.03, 0.004, 0.001, 0.0005, 0.05, 5.0, 1.0, seven))
        | entries.latency("camera", Age(0.02, 0.003, 0.0004, 0.0003, 0.2))
        | entries.dynamics(joints)
        | entries.grip(Friction(0.72, 0.05, 0.02))
        | entries.images(
            "wrist", Found(2.2, 0.1), Found(0.12, 0.01), ((0.95, 1.04), 0.01), ((0.004, 0.01), 1e-4)
        ),
    )
    assert cell.latency.command.mean.value == 0.03
    assert cell.latency.command.mean.method == "step responses"
    assert cell.latency.camera.jitter.residual == 0.0003
    assert cell.dynamics is not None
    np.testing.assert_allclose(cell.dynamics.friction.value, 2 * seven)
    assert cell.dynamics.damping.residual == 0.7
    assert cell.dynamics.payload.value == 0.8
    assert cell.gripper.friction.value == 0.72
    wrist = cell.cameras["wrist"]
    assert (wrist.noise.value, wrist.vignetting.value) == (2.2, 0.12)
    assert wrist.white_balance.value == (0.95, 1.04)
    assert wrist.exposure.value == (0.004, 0.01)
