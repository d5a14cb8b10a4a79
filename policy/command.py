"""What is around a command that Hydra composes: its choices, its directory, its exit code."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from policy.experience.telling import exit_code


def carry_out(choices: DictConfig, work: Callable[[dict[str, Any], Path], object]) -> None:
    """`work` is given the choices and, apart from them, the directory `out`. What is wrong with
    them is told in a line."""
    found = OmegaConf.to_container(choices, resolve=True)
    assert isinstance(found, dict)
    values = {str(name): value for name, value in found.items()}
    directory = Path(str(values.pop("out")))
    if code := exit_code(lambda: work(values, directory)):
        sys.exit(code)
