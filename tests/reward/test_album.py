"""Pictures that were judged: kept whole, and by the episode that they belong to."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from judged import judged_log, pair

from policy.contract import Invalid
from policy.experience.errors import BusyError, DamagedError
from policy.experience.log import open_index
from policy.experience.log.care import verify
from reward.album import Album
from reward.labels import examples, labelled


def test_what_is_kept_comes_back_and_is_never_changed(tmp_path: Path) -> None:
    album, shown = Album(tmp_path), pair(1, True)
    path = album.add("e1", shown)
    again = album.pair("e1")
    for ours, theirs in ((shown.before, again.before), (shown.after, again.after)):
        assert list(ours) == list(theirs)
        np.testing.assert_array_equal(ours["front"], theirs["front"])
    assert list(album) == ["e1"]
    assert "e1" in album
    assert "e2" not in album
    with pytest.raises(BusyError, match="exists already"):
        album.add("e1", shown)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(DamagedError):
        album.pair("e1")


def test_it_is_beside_the_log_and_does_not_disturb_it(tmp_path: Path) -> None:
    truths = judged_log(tmp_path, 3)
    assert all(error is None for _, error in verify(tmp_path))
    with open_index(tmp_path) as index:
        assert len(index) == 3
        assert not index.problems
    found = labelled([tmp_path])
    assert [label for _, label in found] == truths
    assert [one.episode for one, _ in found] == [one.episode for one in examples([tmp_path])]
    with pytest.raises(Invalid, match="label by classifier"):
        labelled([tmp_path], "classifier")
