"""The cell in simulation. Importing it registers `regrasp/BinGrasp-v0` with gymnasium."""

import gymnasium

gymnasium.register("regrasp/BinGrasp-v0", entry_point="sim.env:BinGrasp")
