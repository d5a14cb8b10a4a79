"""The cell in simulation. Importing it registers `regrasp/BinGrasp-v0` with gymnasium."""

import os
import sys

import gymnasium

# Without a screen MuJoCo draws through EGL; it reads this once, when it is first imported.
if sys.platform == "linux" and not os.environ.get("DISPLAY"):
    os.environ.setdefault("MUJOCO_GL", "egl")

gymnasium.register(
    "regrasp/BinGrasp-v0",
    entry_point="sim.env:BinGrasp",
    vector_entry_point="sim.vector:VectorGrasp",
)
