"""What is around a command that Hydra composes: its choices, its directory, its exit code."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from policy.experience.errors import MISTAKES


def carry_out(choices: DictConfig, work: Callable[[dict[str, Any], Path], object]) -> None:
    """`work` is given the choices and, apart from them, the directory `out`. What is wrong with
    them is told in a line."""
    found = OmegaConf.to_container(choices, resolve=True)
    assert isinstance(found, dict)
    values = {str(name): value for name, value in found.items()}
    directory = Path(str(values.pop("out")))
    try:
        work(values, directory)
    except MISTAKES as error:
        print(error, file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("stopped; the same command continues", file=sys.stderr)
        sys.exit(130)
