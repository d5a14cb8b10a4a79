"""Detectors by name: what they lack, who of them labels, and how what they say is combined."""

from __future__ import annotations

from pathlib import Path

import pytest
from bins import CLUTTER, DROPPED, empty_cycles, mask, picture
from judges import verdicts

import reward
from policy.contract import Invalid
from policy.experience.episode import HEARD, PERSON, Verdict, success
from reward.detector import Pictures, Setup
from reward.gate import Gates, Wanted, examine
from reward.panel import UNTESTED, Panel
from reward.rules import first, veto, vote
from reward.watch import CHECKS, EVERY, WINDOW

SAYS = """
import json

from reward.detector import Judgement

class Says:
    name = {name!r}

    def __init__(self, file):
        self.file = file

    def judge(self, before, after, clip=(), task=""):
        success, confidence = json.loads(self.file.read_text())
        return Judgement(self.name, bool(success), confidence, abstained=success is None)

def build(setup):
    return Says(setup.folder / "{name}.says")
"""
NOTHING: tuple[Pictures, Pictures] = ({}, {})


class Cell:
    """Two detectors, each a file of a few lines, that say what they are told to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.setup = Setup({"front": mask()}, folder)

    def says(self, name: str, success: bool | None, confidence: float = 0.9) -> None:
        told = "null" if success is None else str(success).lower()
        (self.folder / f"{name}.says").write_text(f"[{told}, {confidence}]")

    def admit(self, *names: str, right: float = 0.995) -> None:
        for name in names:
            said, truths = verdicts(name, 300, right)
            gate = examine(name, said, truths, Wanted(0.9, 0.9))
            assert gate.passed
            Gates(self.folder).give(gate)


@pytest.fixture
def cell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cell:
    for name in ("alice", "bob"):
        (tmp_path / f"{name}.py").write_text(SAYS.format(name=name))
    monkeypatch.setattr(reward, "__path__", [*reward.__path__, str(tmp_path)])
    (tmp_path / "cell").mkdir()
    found = Cell(tmp_path / "cell")
    for name in ("alice", "bob"):
        found.says(name, True)
    return found


def test_it_judges_once_it_has_seen_empty_cycles_and_remembers_them(tmp_path: Path) -> None:
    setup = Setup({"front": mask()}, tmp_path / "cell")
    panel = Panel(["subtraction"], setup)
    assert "noise" in panel.problem
    for before, after in empty_cycles():
        panel.learn({"front": before}, {"front": after})
    assert panel.problem == ""
    again = Panel(["subtraction"], Setup.load(tmp_path / "cell"))
    assert again.problem == ""
    for one in (panel, again):
        [found] = one.judge({"front": picture(seed=7)}, {"front": picture([*CLUTTER, DROPPED], 8)})
        assert (found.detector, found.success, found.gate) == ("subtraction", True, UNTESTED)


def test_names_and_rules_that_are_not_there(tmp_path: Path) -> None:
    setup = Setup({"front": mask()}, tmp_path)
    with pytest.raises(Invalid, match=r"detectors: found \['oracle'\], wanted of .*subtraction"):
        Panel.of("oracle", setup)
    with pytest.raises(Invalid, match="rule: found 'toss', wanted one of first, vote, veto"):
        Panel.of("toss:subtraction", setup)


def test_the_others_judge_where_one_lacks_something(cell: Cell) -> None:
    panel = Panel.of("subtraction,alice", cell.setup)
    assert panel.problem == ""
    assert "noise" in panel.problems["subtraction"]
    cell.admit("alice")
    [found] = Panel.of("subtraction,alice", cell.setup).judge(*NOTHING)
    assert (found.detector, found.success) == ("alice", True)


def test_a_cells_first_labels_are_untested_and_nobody_elses(cell: Cell) -> None:
    panel = Panel.of("alice,bob", cell.setup)
    [found] = panel.judge(*NOTHING)
    assert (found.detector, found.gate) == ("alice", UNTESTED)
    cell.says("alice", None)
    heard = panel.judge(*NOTHING)
    assert [(v.detector, v.abstained, v.gate) for v in heard] == [
        ("alice", True, ""), ("bob", False, HEARD),
    ]  # fmt: skip
    assert success(heard) is None
    assert "not tested" in heard[1].reason


def test_once_somebody_is_tested_only_who_passed_labels(cell: Cell) -> None:
    cell.admit("bob", right=0.9)
    cell.says("bob", True, 0.95)
    heard = Panel.of("alice,bob", cell.setup).judge(*NOTHING)
    assert heard[0].gate == HEARD
    assert heard[1].gate.startswith("bob-")
    assert success(heard) is True
    cell.says("bob", False, 0.55)  # less sure than its threshold
    heard = Panel.of("alice,bob", cell.setup).judge(*NOTHING)
    assert [v.gate for v in heard] == [HEARD, HEARD]
    assert success(heard) is None
    assert success([*heard, Verdict(PERSON, False)]) is False


def test_first_asks_the_next_only_where_it_must(cell: Cell) -> None:
    cell.admit("alice", "bob")
    panel = Panel.of("alice,bob", cell.setup)
    assert [v.detector for v in panel.judge(*NOTHING)] == ["alice"]
    cell.says("alice", None)
    cell.says("bob", False)
    heard = panel.judge(*NOTHING)
    assert [v.detector for v in heard] == ["alice", "bob"]
    assert success(heard) is False


def test_vote_and_veto_give_a_label_of_their_own(cell: Cell) -> None:
    cell.admit("alice", "bob")
    cell.says("bob", False, 0.99)
    for rule, label in (("vote", None), ("veto", False)):
        heard = Panel.of(f"{rule}:alice,bob", cell.setup).judge(*NOTHING)
        assert [v.gate for v in heard[:2]] == [HEARD, HEARD]
        assert success(heard) is label
    cell.says("bob", True, 0.97)
    *_, told = Panel.of("vote:alice,bob", cell.setup).judge(*NOTHING)
    assert (told.detector, told.success) == ("vote", True)
    assert told.confidence == pytest.approx((0.9 + 0.97) / 2)
    assert told.gate.count("alice-") == told.gate.count("bob-") == 1


def test_rules() -> None:
    yes, no, sure = Verdict("a", True, 0.8), Verdict("b", False, 0.7), Verdict("c", True, 0.9)
    assert first([]) is vote([]) is veto([]) is None
    assert first([no, yes]) is no
    assert vote([yes, no]) is None
    told = vote([yes, no, sure])
    assert told is not None
    assert told.success
    assert told.confidence == pytest.approx((0.8 + 0.3 + 0.9) / 3)
    denied, agreed = veto([yes, no, sure]), veto([yes, sure])
    assert denied is not None
    assert agreed is not None
    assert (denied.success, denied.confidence) == (False, 0.7)
    assert (agreed.success, agreed.confidence) == (True, 0.8)


def test_spot_checks_demote_who_is_contradicted_and_it_stays_so(cell: Cell) -> None:
    cell.admit("alice", "bob")
    panel = Panel.of("alice,bob", cell.setup)
    said = [one for one in verdicts("alice", 3 * EVERY * CHECKS)[0] if one.success]
    for number in range(EVERY * CHECKS):
        assert not panel.alarms
        cell.says("alice", True, said[number].confidence)
        cell.says("bob", False, 0.95)
        heard = panel.judge(*NOTHING, episode=f"e{number}")
        assert success(heard) is True
        assert len(heard) == 1 + ((number + 1) % EVERY == 0)
    assert "spot checks" in panel.alarms[0]
    again = Panel.of("alice,bob", cell.setup)
    assert again.alarms == panel.alarms
    heard = again.judge(*NOTHING, episode="later")
    assert heard[0].gate == HEARD
    assert success(heard) is False  # now bob's


def test_a_persons_labels_check_too(cell: Cell) -> None:
    cell.admit("alice")
    panel = Panel.of("alice", cell.setup)
    for number in range(CHECKS):
        panel.judge(*NOTHING, episode=f"e{number}")
        panel.agree(f"e{number}", success=number % 2 == 0)
    assert "spot checks" in panel.alarms[0]


def test_a_persons_labels_check_each_who_voted(cell: Cell) -> None:
    cell.admit("alice", "bob")
    cell.says("bob", False, 0.99)
    panel = Panel.of("veto:alice,bob", cell.setup)
    for number in range(CHECKS):
        panel.judge(*NOTHING, episode=f"e{number}")
        panel.agree(f"e{number}", success=False)
    assert [line.partition(":")[0] for line in panel.alarms] == ["alice"]


def test_drift_of_its_scores_demotes(cell: Cell) -> None:
    cell.admit("alice")
    panel = Panel.of("alice", cell.setup)
    for number, one in enumerate(verdicts("alice", WINDOW, seed=5)[0]):
        cell.says("alice", one.success, one.confidence)
        panel.judge(*NOTHING, episode=f"usual{number}")
    assert not panel.alarms
    for number in range(WINDOW):
        cell.says("alice", number % 2 == 0, 0.8)
        panel.judge(*NOTHING, episode=f"odd{number}")
    assert "drift" in panel.alarms[0]


def test_falling_silent_is_drift(cell: Cell) -> None:
    cell.admit("alice")
    panel = Panel.of("alice", cell.setup)
    cell.says("alice", None)
    for number in range(WINDOW):
        panel.judge(*NOTHING, episode=f"e{number}")
    assert f"abstained in {WINDOW} of {WINDOW}" in panel.alarms[0]
