"""How far a run has come."""

from __future__ import annotations

from dataclasses import dataclass

from policy.contract import Strict


@dataclass
class Progress(Strict):
    updates: int = 0
    transitions: int = 0  # taken online
    grasps: int = 0  # episodes online
    seconds: float = 0.0  # of training; not of evaluation
