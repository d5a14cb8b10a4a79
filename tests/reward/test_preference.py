"""A reward from preferences: asked, learnt by three, and what they make of a pair."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from judged import judged_log, mask, pair
from running import chat_server

from policy.contract import ContractError, Invalid
from reward.asking import OfModel, Preferred, gather, of_labels, read
from reward.detector import Setup, detector
from reward.graph import Graph
from reward.labels import examples
from reward.models import model_file
from reward.prefer import main
from reward.preference import NAME, Record
from reward.vlm_judge import FILE


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with chat_server() as found:
        yield found


@pytest.fixture(scope="module")
def cell(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("preference")
    Setup({"front": mask()}, base / "cell").save()
    judged_log(base / "log", 60)
    command = [str(base / "cell"), str(base / "log"), "--ask", "labels", "--pairs", "120"]
    assert main([*command, "--epochs", "7"]) == 0
    return base / "cell"


def test_three_that_learnt_from_preferences_judge(cell: Path) -> None:
    record = Graph(model_file(cell, NAME, "front"), Record, "train it").record
    told = read(cell)
    assert record.preferences == sum(bool(one.nearer) for one in told) >= 30
    judge = detector("preference", Setup.load(cell))
    right = spoken = 0
    for seed in range(6000, 6030):
        shown = pair(seed, bool(seed % 2))
        found = judge.judge(shown.before, shown.after)
        spoken += not found.abstained
        right += not found.abstained and found.success == bool(seed % 2)
    assert spoken >= 20
    assert right >= 0.85 * spoken


def test_where_the_three_do_not_agree_it_abstains(cell: Path) -> None:
    judge = detector("preference", Setup.load(cell))
    noise = np.random.default_rng(0)
    found = []
    for _ in range(40):  # pictures of nothing that they have learnt
        before, after = (noise.integers(0, 256, (*mask().shape, 3), np.uint8) for _ in range(2))
        low, high = noise.uniform(0, 1, 2)
        found.append(
            judge.judge({"front": (before * low).astype(np.uint8)},
                        {"front": (after * high).astype(np.uint8)})
        )  # fmt: skip
    for one in found:
        odds = [
            float(word) for word in one.reason.removeprefix("front: odds of three ").split(", ")
        ]
        assert one.abstained == (min(odds) < 0 <= max(odds))


def test_a_model_is_asked_in_two_stages(tmp_path: Path, url: str) -> None:
    judged_log(tmp_path / "log", 4)
    known = list(examples([tmp_path / "log"]))
    (tmp_path / FILE).write_text(json.dumps({"url": url, "model": "prefers", "deadline_s": 30.0}))
    setup = Setup({"front": mask()}, tmp_path)
    asked = OfModel(setup)
    assert asked(known[0], known[1]) == known[1].episode
    lines = [json.loads(one) for one in (tmp_path / "vlm/journal.jsonl").read_text().splitlines()]
    questions = [
        json.loads((tmp_path / "vlm/questions" / line["question"]).read_text())["messages"][0]
        for line in lines
    ]
    assert [len(one["content"]) for one in questions] == [5, 1]  # four pictures, then words alone
    assert "the bin is empty" in questions[1]["content"][0]["text"]
    (tmp_path / FILE).write_text(json.dumps({"url": url, "model": "prose", "deadline_s": 30.0}))
    assert OfModel(setup)(known[0], known[2]) is None


def test_answers_are_kept_and_not_asked_for_twice(tmp_path: Path) -> None:
    judged_log(tmp_path / "log", 6)
    known = list(examples([tmp_path / "log"]))
    first = list(gather(tmp_path, known, 8, of_labels, "labels", seed=0))
    assert read(tmp_path) == first
    again = list(gather(tmp_path, known, 8, of_labels, "labels", seed=0))
    assert again == []
    labels = {one.episode: one.label() for one in known}
    for one in first:
        wanted = "" if labels[one.one] == labels[one.other] else (
            one.one if labels[one.one] else one.other
        )  # fmt: skip
        assert one == Preferred(one.one, one.other, wanted, "labels")


def test_few_preferences_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Setup({"front": mask()}, tmp_path / "cell").save()
    judged_log(tmp_path / "log", 6)
    assert main([str(tmp_path / "cell"), str(tmp_path / "log"), "--ask", "labels", "--pairs", "5"])
    assert "preferences: found" in capsys.readouterr().err
    with pytest.raises(Invalid, match="train it"):
        detector("preference", Setup.load(tmp_path / "cell"))
    (tmp_path / "cell/preferences.jsonl").write_text('{"one": "a"}\n')
    with pytest.raises(ContractError, match="other"):
        read(tmp_path / "cell")
