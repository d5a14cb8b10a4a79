"""How far a round came: known to whoever goes on with it, and to nobody else."""

from __future__ import annotations

from pathlib import Path

import pytest
from regrasp_nodes.episode.tally import FILE, Tally

from policy.contract import ContractError


def test_a_round_is_gone_on_with(tmp_path: Path) -> None:
    Tally("r7", 3, 2).keep(tmp_path)
    assert Tally.of(tmp_path, "r7") == Tally("r7", 3, 2)


@pytest.mark.parametrize(("kept", "asked"), [("r7", "r8"), ("", ""), ("r7", "")])
def test_another_begins_at_nothing(tmp_path: Path, kept: str, asked: str) -> None:
    Tally(kept, 3, 2).keep(tmp_path)
    assert Tally.of(tmp_path, asked) == Tally(asked)


def test_the_first_begins_at_nothing(tmp_path: Path) -> None:
    assert Tally.of(tmp_path, "r7") == Tally("r7")


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text('{"round": 7}')
    with pytest.raises(ContractError, match=FILE):
        Tally.of(tmp_path, "r7")
