"""Labels that are wrong as often as was said, and logs that are told by them."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from factories import counting_episode

from benchmarks.labellers import Labelling, fate, relabel
from policy.contract import encode
from policy.experience.episode import HEARD, SIMULATOR, Verdict, told
from policy.experience.log import EpisodeWriter, open_index, read_episode
from policy.experience.log.repair import copy_steps

COUNT = 12


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Every third episode succeeds."""
    for number in range(COUNT):
        episode = counting_episode(number, 3)
        with EpisodeWriter(tmp_path / "log", episode.info) as writer:
            copy_steps(episode, writer)
            writer.verdict(Verdict(SIMULATOR, number % 3 == 0))
    return tmp_path / "log"


def test_a_log_is_told_by_its_labels_alone(log: Path, tmp_path: Path) -> None:
    label = Labelling(wrong=0.5, seed=1).labeller()
    fates = relabel(log, tmp_path / "out", label)
    assert fates.total() == COUNT
    assert 0 < fates["wrong"] < COUNT
    with open_index(tmp_path / "out") as index:
        entries = list(index)
    assert len(entries) == COUNT
    wrong = 0
    for entry in entries:
        assert not told(entry)
        episode = read_episode(entry.path)
        number = int(entry.episode_id.split("-")[1])
        assert episode.images["front"][0, 1, 1, 2] == number
        wrong += episode.success != (number % 3 == 0)
    assert wrong == fates["wrong"]


def test_what_was_begun_is_gone_on_with(log: Path, tmp_path: Path) -> None:
    out, how = tmp_path / "out", Labelling(wrong=0.5, seed=1)
    first = relabel(log, out, how.labeller())
    with open_index(out) as index:
        labels = {entry.episode_id: (entry.success, entry.path) for entry in index}
    next(path for _, path in labels.values()).unlink()
    assert relabel(log, out, how.labeller()) == first
    with open_index(out) as index:
        again = {entry.episode_id: entry.success for entry in index}
    assert again == {name: success for name, (success, _) in labels.items()}


def test_a_gate_keeps_what_its_detector_is_not_sure_of(tmp_path: Path) -> None:
    """Right where it is sure, wrong where it is not."""
    sure = [(Verdict("d", truth, 0.99), truth) for _ in range(300) for truth in (True, False)]
    unsure = [(Verdict("d", True, 0.6), False) for _ in range(200)]
    known = sure + unsure
    random.Random(0).shuffle(known)
    path = tmp_path / "verdicts.json"
    path.write_text(json.dumps({"d": [(encode(v), t) for v, t in known]}))
    free = Labelling(verdicts=path, detector="d").labeller()
    gated = Labelling(verdicts=path, detector="d", gated=True).labeller()
    fates = {
        who: [fate(label(False), False) for _ in range(200)]
        for who, label in (("free", free), ("gated", gated))
    }
    assert "wrong" in fates["free"]
    assert set(fates["gated"]) == {"right", "none"}
    assert gated(True).gate != HEARD
    assert str(Labelling(verdicts=path, detector="d", gated=True)) == "d, with its gate"
    assert str(Labelling(0.05)) == "5% flipped"
