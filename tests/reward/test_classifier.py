"""A classifier from a log's pictures to a judge that passed its gate."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from judged import judged_log, mask, pair

from policy.contract import ContractError, Invalid
from policy.experience.episode import HEARD, PERSON, Verdict
from policy.experience.log import VerdictWriter, open_index
from reward.__main__ import main
from reward.album import Album
from reward.classifier import NAME, Record
from reward.detector import Setup, detector
from reward.gate import Gates
from reward.graph import KEY, Graph
from reward.labels import labelled
from reward.models import model_file
from reward.network import Deployed, PairNetwork
from reward.pairs import Pairs, crop_of, split, varied
from reward.panel import Panel
from reward.report import Report
from reward.train import Training, calibrate, train
from reward.train import main as train_main


@pytest.fixture(scope="module")
def cell(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its folder; beside it the log `shown` that the classifier was trained on."""
    base = tmp_path_factory.mktemp("classifier")
    Setup({"front": mask()}, base / "cell").save()
    judged_log(base / "shown", 130)
    train(base / "cell", labelled([base / "shown"]), Training(epochs=11))
    return base / "cell"


def test_it_learns_what_a_success_looks_like(cell: Path) -> None:
    judge = detector("classifier", Setup.load(cell))
    right = 0
    for seed in range(5000, 5030):
        shown = pair(seed, bool(seed % 2))
        found = judge.judge(shown.before, shown.after)
        right += found.success == bool(seed % 2)
        assert 0.5 <= found.confidence < 1
        assert found.evidence is not None
    assert right >= 27


def test_its_report_is_of_what_it_never_saw(cell: Path) -> None:
    told = json.loads((cell / "report/front.json").read_text())
    assert told["held_out"] == 26
    assert told["area_under_roc"] > 0.9
    assert told["roc"][0] == [0.0, 0.0]
    assert told["roc"][-1] == [1.0, 1.0]
    assert (cell / "report/front_roc.png").stat().st_size > 1000


def test_it_passes_the_gate_on_other_episodes_only_and_then_labels(
    cell: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["test", str(cell), str(cell.parent / "shown"), "--detector", "classifier"]
    assert main(command) == 1  # it has seen all of these
    assert "0 labelled episodes" in capsys.readouterr().err
    judged_log(tmp_path / "fresh", 60, seed=7)
    wanted = ["--precision", "0.7", "--recall", "0.6"]
    assert main(["test", str(cell), str(tmp_path / "fresh"), *command[3:], *wanted]) == 0
    assert "passed" in capsys.readouterr().out
    gate = Gates(cell).of("classifier")
    assert gate is not None
    assert gate.episodes == 30

    # Now it labels a log whose old verdicts stay.
    old = tmp_path / "old"
    judged_log(old, 12, seed=8, label=False)
    with VerdictWriter(old) as writer:
        writer.add("e8-000", Verdict("subtraction", False, 0.7))
        writer.add("e8-001", Verdict(PERSON, False))
    assert main(["relabel", str(cell), str(old), "--detectors", "classifier"]) == 0
    with open_index(old) as index:
        entries = list(index)
    assert {v.detector for v in entries[0].verdicts} == {"subtraction", "classifier"}
    assert entries[1].success is False  # a person's word
    labels = [v for e in entries for v in e.verdicts if v.detector == "classifier"]
    assert {v.gate for v in labels} <= {gate.name, HEARD}
    assert sum(v.gate == gate.name for v in labels) >= 10

    # Persons who say otherwise, often enough, demote it.
    with VerdictWriter(old) as writer:
        for entry in entries:
            writer.add(entry.episode_id, Verdict(PERSON, not entry.success))
    assert main(["gates", str(cell), str(old)]) == 0
    assert "demoted: spot checks" in capsys.readouterr().out
    assert Panel.of("classifier", Setup.load(cell)).alarms


def test_it_asks_for_labels_where_it_is_least_sure(
    cell: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log, paper = tmp_path / "log", tmp_path / "sheet.png"
    judged_log(log, 12, seed=9, label=False)
    with VerdictWriter(log) as writer:
        writer.add("e9-000", Verdict(PERSON, True))
    judge = detector("classifier", Setup.load(cell))
    assert main(["ask", str(cell), str(log), "--count", "3", "--sheet", str(paper)]) == 0
    lines = capsys.readouterr().out.splitlines()
    asked = [line.split()[-2] for line in lines]
    assert len(asked) == 3
    assert "e9-000" not in asked
    album = Album(log)
    doubts: dict[str, float] = {}
    for name in set(album) - {"e9-000"}:
        shown = album.pair(name)
        doubts[name] = judge.judge(shown.before, shown.after).confidence
    assert doubts[asked[0]] == min(doubts.values())
    assert paper.exists()


def test_graph_and_torch_agree_and_another_camera_is_refused(cell: Path) -> None:
    graph = Graph(model_file(cell, NAME, "front"), Record, "train it")
    record = graph.record
    assert record.size == mask().shape
    assert len(record.episodes) == 130
    frames = np.stack([pair(seed, True).after["front"] for seed in range(3)])
    assert graph(before=frames, after=frames)[0].shape == (3,)
    other = {"front": mask()[:, :-2]}
    with pytest.raises(Invalid, match=r"classifier\.front\.size"):
        detector("classifier", Setup(other, cell))


def test_what_is_no_model_of_ours_is_refused(cell: Path, tmp_path: Path) -> None:
    setup = Setup({"front": mask()}, tmp_path)
    with pytest.raises(Invalid, match="train it"):
        detector("classifier", setup)
    path = model_file(tmp_path, NAME, "front")
    path.write_bytes(b"no model")
    with pytest.raises(ContractError, match="file"):
        detector("classifier", setup)
    model = onnx.load(model_file(cell, NAME, "front"))
    onnx.helper.set_model_props(model, {KEY: '{"camera": "front"}'})
    path.write_bytes(model.SerializeToString())
    with pytest.raises(ContractError, match="box"):
        detector("classifier", setup)


def test_few_labels_or_of_one_kind_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Setup({"front": mask()}, tmp_path / "cell").save()
    judged_log(tmp_path / "log", 5)
    assert train_main([str(tmp_path / "cell"), str(tmp_path / "log")]) == 1
    assert "5 labelled" in capsys.readouterr().err


def test_variation_keeps_what_a_success_is() -> None:
    shown = pair(3, True)
    crop = crop_of(mask())
    before, after = (
        crop(torch.from_numpy(p["front"])[None]).half() for p in (shown.before, shown.after)
    )
    pairs = Pairs(before.repeat(64, 1, 1, 1), after.repeat(64, 1, 1, 1), torch.ones(64))
    found = varied(pairs, torch.Generator().manual_seed(0))
    assert found.before.shape == pairs.before.shape
    undone = int((found.label == 0).sum())
    assert 2 <= undone <= 20
    # What changed is as large as ever, and what was taken away is called so.
    change = (found.after - found.before).abs().flatten(1).amax(dim=1)
    assert float(change.min()) > 0.1


def test_temperature_cools_what_is_too_sure() -> None:
    random = torch.Generator().manual_seed(0)
    logit = torch.randn(4000, generator=random) * 2
    label = (torch.rand(4000, generator=random) < torch.sigmoid(logit)).float()
    assert calibrate(logit, label, 0.0) == pytest.approx(1.0, abs=0.1)
    assert calibrate(5 * logit, label, 0.0) == pytest.approx(5.0, abs=0.5)


def test_neighbours_are_not_split(tmp_path: Path) -> None:
    judged_log(tmp_path, 50)
    parts = split(labelled([tmp_path]), seed=0)
    assert sorted([*parts.train, *parts.validation, *parts.held_out]) == list(range(50))
    assert len(parts.held_out) == 10
    blocks = {row // 5 for row in parts.held_out}
    assert len(blocks) == 2
    assert not blocks & {row // 5 for row in parts.train}


def test_roc_and_calibration_of_known_answers() -> None:
    likely, truth = np.array([0.9, 0.8, 0.3, 0.2]), np.array([True, False, True, False])
    report = Report([], likely, truth)
    assert report.area == pytest.approx(0.75)
    assert (report.precision.successes, report.precision.tries) == (1, 2)
    assert (report.recall.successes, report.recall.tries) == (1, 2)
    assert report.miscalibration == pytest.approx((0.1 + 0.8 + 0.7 + 0.2) / 4)
    assert Report([], np.array([0.5, 0.5]), np.array([True, False])).area == pytest.approx(0.5)


def test_the_network_in_front_of_whole_frames() -> None:
    crop = crop_of(mask())
    deployed = Deployed(PairNetwork().eval(), crop, 2.0, -0.5)
    frames = torch.zeros(2, *mask().shape, 3, dtype=torch.uint8)
    told = deployed.eval()(frames, frames)
    assert told.shape == (2,)
    assert ((told > 0) & (told < 1)).all()
