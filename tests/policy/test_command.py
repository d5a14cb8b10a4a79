"""What a command that Hydra composed leaves behind: a line and an exit code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

from policy.command import carry_out
from policy.contract import Invalid

CHOICES = OmegaConf.create({"out": "somewhere", "seed": 3, "twice": "${seed}"})


def test_the_work_is_given_choices_and_directory() -> None:
    given: list[object] = []
    carry_out(CHOICES, lambda *what: given.extend(what))
    assert given == [{"seed": 3, "twice": 3}, Path("somewhere")]


@pytest.mark.parametrize(
    ("problem", "code", "line"),
    [
        (Invalid("seed", 3, "below 3", "choose another"), 2, "seed"),
        (FileNotFoundError(2, "No such file", "somewhere/log"), 2, "somewhere/log"),
        (KeyboardInterrupt(), 130, "the same command continues"),
    ],
)
def test_what_went_wrong_is_a_line(
    problem: BaseException, code: int, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def work(_: dict[str, Any], __: Path) -> None:
        raise problem

    with pytest.raises(SystemExit) as left:
        carry_out(CHOICES, work)
    assert left.value.code == code
    told = capsys.readouterr().err
    assert line in told
    assert told.count("\n") == 1


def test_a_fault_of_ours_is_not_hidden() -> None:
    def work(_: dict[str, Any], __: Path) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        carry_out(CHOICES, work)
