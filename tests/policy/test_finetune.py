"""A learner beside a robot: what it learns from, how much, and that a stop changes nothing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tuning import DEPLOYMENT, STEPS, make_start, play, tuning

import policy
from policy.checkpoint import read_checkpoint
from policy.config import FinetuneConfig, make_learner
from policy.contract import ContractError, Interface, Invalid, encode, read_card
from policy.contract.files import OFFERS, newest
from policy.experience.episode import (
    PERSON,
    Action,
    Driver,
    EpisodeInfo,
    Observation,
    Verdict,
)
from policy.experience.errors import BusyError
from policy.experience.log import VerdictWriter
from policy.experience.log.writer import EpisodeWriter
from policy.experience.replay import Sampler
from policy.export import Deployed, Parity, compare, feed_of, inputs_of
from policy.finetune import Finetuning
from policy.learners.learner import Observations
from policy.learners.qtopt import QTOpt
from policy.offers import Offers
from policy.run import CHECKPOINT, recorded
from policy.runtime import OnnxPolicy
from policy.serving.host import Host
from policy.start import read_start, write_start

HOUSE = Path(policy.__file__).resolve().parents[1]
TRAINED = HOUSE / "policy/trained"


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_start(tmp_path_factory.mktemp("start"))


@pytest.fixture
def log(tmp_path: Path) -> Path:
    directory = tmp_path / "log"
    for success in (True, False):
        play(directory, success)
    return directory


def rewards(finetuning: Finetuning, ring: str = "online") -> list[list[float]]:
    """Of each episode held."""
    found = finetuning.tail.rings[ring]
    _, table = found.episodes()
    return [
        found.rows["reward"][int(e["start"]) + 1 : int(e["start"]) + 1 + int(e["length"])].tolist()
        for e in table
    ]


def test_learns_from_the_judged_alone_and_is_paid_by_the_verdict(
    start: Path, log: Path, tmp_path: Path
) -> None:
    waiting = play(log)  # nobody could tell
    with ExitStack() as stack:
        finetuning = Finetuning(tuning(start, log), tmp_path / "out", stack)
        finetuning.tail.look()
        assert rewards(finetuning) == [[0, 0, 0, 0, 1], [0, 0, 0, 0, 0]]
        assert finetuning.tail.rings["online"].episodes()[1]["terminated"].all()
        assert str(finetuning.tail.success).startswith("50.0%")
        with VerdictWriter(log) as verdicts:  # ... until a person could
            verdicts.add(waiting, Verdict(PERSON, True))
        finetuning.tail.look()
        assert rewards(finetuning)[2] == [0, 0, 0, 0, 1]
        with VerdictWriter(log) as verdicts:  # and thinks better of it
            verdicts.add(waiting, Verdict(PERSON, False))
        finetuning.tail.look()
        assert rewards(finetuning)[2] == [0, 0, 0, 0, 0]
        assert finetuning.tail.taken == 3 * STEPS  # once each


def test_what_a_person_drove_has_its_own_share(start: Path, log: Path, tmp_path: Path) -> None:
    """An intervention is in both rings, a demonstration in its own; of an intervention's episode,
    only the person's part is drawn there."""
    play(log, True, human=(2, 3))
    play(log, True, source="demonstration", other=Driver.SCRIPT)
    config = tuning(start, log, demonstration_ramp=14)
    with ExitStack() as stack:
        finetuning = Finetuning(config, tmp_path / "out", stack)
        finetuning.tail.look()
        assert finetuning.tail.episodes == 3
        assert finetuning.tail.rings["demonstrations"].added == 2
        # 2 + 5 of the 14 steps that the whole half is for, and no offline log.
        assert finetuning.tail.shares == (0, 0.75, 0.25)
        sampler = Sampler(finetuning.tail.sources, finetuning.learner.draw)
        sampler.reshare(finetuning.tail.shares)
        batch = sampler.sample(400)
        shown = batch.source == 2
        assert int(shown.sum()) == 100
        assert set(batch.driver[shown].tolist()) == {Driver.HUMAN, Driver.SCRIPT}
        people = batch.driver[batch.source == 1] == Driver.HUMAN
        assert 0 < int(people.sum()) < 300


def test_never_more_updates_than_what_came_in_is_good_for(
    start: Path, log: Path, tmp_path: Path
) -> None:
    config = tuning(start, log, updates_per_step=1.5, first_update=3 * STEPS)
    with ExitStack() as stack:
        finetuning = Finetuning(config, tmp_path / "out", stack)
        assert not finetuning.advance()  # two episodes are too few
        play(log, True)
        finetuning._look()
        while finetuning.advance():
            pass
        assert finetuning.progress.updates == int(1.5 * 3 * STEPS)
        play(log)  # unjudged: still none
        finetuning._look()
        assert not finetuning.advance()
        finetuning.save()
    with ExitStack() as stack:  # nor after a restart
        finetuning = Finetuning(config, tmp_path / "out", stack)
        assert not finetuning.advance()
        play(log, False)
        finetuning._look()
        assert finetuning.due == pytest.approx(1.5 * STEPS + 0.5)


def test_goes_on_from_its_checkpoint_and_takes_each_episode_once(
    start: Path, log: Path, tmp_path: Path
) -> None:
    config = tuning(start, log)
    with ExitStack() as stack:
        first = Finetuning(config, tmp_path / "out", stack)
        for _ in range(5):
            first.advance()
        first.save()
        saved = {name: tensor.clone() for name, tensor in first.learner.state_dict().items()}
        for _ in range(3):  # what comes after the checkpoint is lost, and due again
            first.advance()
        play(log, True)
        first.tail.look()
    with ExitStack() as stack:
        second = Finetuning(config, tmp_path / "out", stack)
        assert second.progress.updates == 5
        state = second.learner.state_dict()
        assert all(torch.equal(state[name], saved[name]) for name in saved)
        second._look()
        assert second.progress.transitions == 3 * STEPS
        assert second.due == 2 * 3 * STEPS - 5
        with ExitStack() as other, pytest.raises(BusyError):
            Finetuning(config, tmp_path / "out", other)
    elsewhere = replace(config, updates_per_step=1.0)
    with ExitStack() as stack, pytest.raises(ContractError, match="choose another directory"):
        Finetuning(elsewhere, tmp_path / "out", stack)


def test_after_a_power_cut_the_rings_are_filled_again(
    start: Path, log: Path, tmp_path: Path
) -> None:
    """And what the log has lost meanwhile still counts as learnt from."""
    config, out = tuning(start, log), tmp_path / "out"
    with ExitStack() as stack:
        finetuning = Finetuning(config, out, stack)
        while finetuning.advance():
            pass
        finetuning.save()
        assert finetuning.progress.updates == 2 * 2 * STEPS
    for path in log.glob("*.mcap"):
        path.unlink()
    for ring in ("online", "offline"):  # as a writer on another boot of the machine left it
        (out / ring / "lock").write_text("1 another-boot")
    with ExitStack() as stack:
        finetuning = Finetuning(config, out, stack)
        play(log, True)
        finetuning._look()
        assert finetuning.tail.taken == STEPS
        assert finetuning.due == 2 * STEPS


def test_an_episode_that_does_not_fit_is_told_once_and_holds_up_nothing(
    start: Path, log: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (log / "torn.mcap").write_bytes(b"not an episode")
    with ExitStack() as stack:
        finetuning = Finetuning(tuning(start, log), tmp_path / "out", stack)
        for _ in range(2):
            play(log, True)
            finetuning.tail.look()
    assert finetuning.progress.updates == 0
    assert [r.getMessage()[:8] for r in caplog.records].count("left out") == 1


def test_offers_are_whole_few_and_what_the_learner_is(
    start: Path, log: Path, tmp_path: Path
) -> None:
    config = tuning(start, log, offer_every=4, report_seconds=1e-9)
    with ExitStack() as stack:
        finetuning = Finetuning(config, tmp_path / "out", stack)
        while finetuning.progress.updates < 4:
            finetuning.progress.seconds += 1.0
            finetuning.advance()
        path = newest(tmp_path / "out/offers", OFFERS)
        assert path is not None
        assert path.name == "00000004.onnx"
        _, values = read_checkpoint(tmp_path / "out" / CHECKPOINT)
        assert values["updates"] == 4  # what was offered is never gone behind
        card = read_card(path)
        told = json.loads(card.provenance.config)
        assert told["finetune"]["updates_per_step"] == 2.0
        assert told["progress"]["updates"] == 4
        assert card.provenance.data[-1] == str(log)
        lines = recorded(tmp_path / "out")
        [offered] = [line for line in lines if line["kind"] == "offer"]
        assert offered["offer"] == path.name
        assert offered["value_error"] <= 1e-3
        [*_, learnt] = [line for line in lines if line["kind"] == "learn"]
        assert {"loss", "q", "updates_per_s", "size_online", "share_shown"} <= learnt.keys()
    policy = OnnxPolicy(path)
    assert policy.version == offered["version"]
    with Host(policy) as host:
        assert host.offer(path).result() == policy.version


def test_only_the_newest_are_kept_and_a_kill_leaves_no_litter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parity = Parity(1, 1.0, 0.0, 0.0)
    monkeypatch.setattr("policy.offers.enlarged", lambda *_: None)

    def write(path: Path, *_: object, **__: object) -> Parity:
        path.write_bytes(b"model")
        return parity

    monkeypatch.setattr("policy.offers.export", write)
    monkeypatch.setattr("policy.offers.traced_of", lambda *_: None)
    offers = Offers(tmp_path, every=10, kept=2)
    anything: Any = None
    for updates in (10, 25, 30):
        assert offers.due(updates)
        offers.make(anything, anything, anything, updates)
        assert not offers.due(updates)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["00000025.onnx", "00000030.onnx"]
    (tmp_path / ".00000040.onnx.1-2.tmp").write_bytes(b"half")
    again = Offers(tmp_path, every=10, kept=2)
    assert not again.due(39)
    assert again.due(40)
    assert newest(tmp_path, OFFERS) == tmp_path / "00000030.onnx"
    assert not list(tmp_path.glob(".*"))


def test_a_camera_that_is_elsewhere_is_worth_a_model_at_once(tmp_path: Path) -> None:
    """Before anything was learnt, all networks look through it from where it is."""
    trained = read_start(TRAINED / "grasp.safetensors")
    [view] = trained.deployment.views
    (*one, last), two, three = view.matrix
    rows: Any = ((*one, last + 8.0), two, three)  # 8 px at a distance of 1 m
    moved = replace(view, matrix=rows)
    path, log = tmp_path / "views.json", tmp_path / "log"
    path.write_text(json.dumps([encode(moved)]))
    with EpisodeWriter(log, EpisodeInfo(trained.deployment.interface, "online")) as writer:
        writer.reset(blank(trained.deployment.interface))
        action = Action(
            np.zeros(len(trained.deployment.interface.action), np.float32), truncated=True
        )
        writer.step(action, blank(trained.deployment.interface))
        writer.verdict(Verdict("subtraction", False))
    config = tuning(TRAINED / "grasp.safetensors", log, views=str(path))
    with ExitStack() as stack:
        finetuning = Finetuning(config, tmp_path / "learner", stack)
        finetuning.catch_up()
        assert finetuning.progress.updates == 0
        learner = finetuning.learner
        assert isinstance(learner, QTOpt)
        for network in (learner.critic, learner.target, learner.lagged):
            assert network.hand is not None
            found = network.hand.state_dict()["_look.mounted"]
            start = trained.tensors["target.hand._look.mounted"]
            assert not torch.equal(found, start)
    assert [one.name for one in (tmp_path / "learner/offers").glob(OFFERS)] == ["00000000.onnx"]
    with pytest.raises(Invalid, match="views: found 'front', wanted the view of wrist_depth"):
        learner.mount((replace(view, image="front"),))


def blank(interface: Interface) -> Observation:
    images = {i.name: np.zeros(i.shape, np.uint8) for i in interface.observation.images}
    return Observation(images, np.zeros(len(interface.observation.proprio), np.float32), 0)


def test_who_looks_at_frames_as_they_are_cannot_be_told_of_a_camera(
    start: Path, log: Path, tmp_path: Path
) -> None:
    path = tmp_path / "views.json"
    [view] = read_start(TRAINED / "grasp.safetensors").deployment.views
    path.write_text(json.dumps([encode(view)]))
    with ExitStack() as stack, pytest.raises(Invalid, match="views: found 'wrist_depth'"):
        Finetuning(tuning(start, log, views=str(path)), tmp_path / "learner", stack)


def test_the_shipped_weights_are_the_shipped_policy(tmp_path: Path) -> None:
    """Through torch, the weights beside grasp.onnx give the very actions of grasp.onnx."""
    start = read_start(TRAINED / "grasp.safetensors")
    assert (TRAINED / "grasp.safetensors").stat().st_size < 4_000_000
    onnx = OnnxPolicy(TRAINED / "grasp.onnx")
    assert onnx.card.preprocessing == start.deployment.preprocessing
    assert json.loads(onnx.card.provenance.config) == start.config.plain()
    learner = make_learner(start.config, start.deployment)
    learner.load_state_dict(start.tensors)
    for name in ("target.", "lagged."):
        state = learner.state_dict()
        own = {n: v for n, v in state.items() if n.startswith("critic.")}
        assert all(torch.equal(state[name + n.removeprefix("critic.")], v) for n, v in own.items())
    policy = learner.export()
    deployed = Deployed(policy, start.deployment, 1).eval()
    random = torch.Generator().manual_seed(0)
    seen = Observations(
        {"wrist_depth": torch.randint(0, 256, (6, 1, 480, 640, 1), generator=random).byte()},
        torch.tensor([[0.05, 0.5, 0.0, 0.15, 0.2]]).expand(6, -1).contiguous(),
        torch.zeros(6, 2, 7),
    )
    inputs = inputs_of(policy, start.deployment, 1, 6)
    found = compare(TRAINED / "grasp.onnx", deployed, inputs, feed_of(onnx.card, seen), 0)
    found.require()
    assert found.same_actions == 1.0


def test_a_start_is_a_file_or_a_run_and_nothing_else(start: Path, tmp_path: Path) -> None:
    write_start(start, tmp_path / "weights.safetensors")
    small, whole = read_start(tmp_path / "weights.safetensors"), read_start(start)
    assert small.config == whole.config
    assert small.deployment == whole.deployment == DEPLOYMENT
    assert torch.equal(
        small.tensors["critic.head.logit.weight"], whole.tensors["target.head.logit.weight"]
    )
    with pytest.raises(Invalid, match=r"start: found '.*nowhere', wanted a file or a directory"):
        read_start(tmp_path / "nowhere")
    (tmp_path / "weights.safetensors").write_bytes(b"else")
    with pytest.raises(ContractError, match=r"wanted a file of policy\.start"):
        read_start(tmp_path / "weights.safetensors")


def test_shares_of_logs_are_for_training_alone() -> None:
    data = {"logs": ["out/log"], "shares": [1]}
    with pytest.raises(ContractError, match=r"data\.shares: found \(1\.0,\), wanted none"):
        FinetuneConfig.of({"start": "x", "log": "y", "data": data})


def test_the_command_ends_by_a_signal_and_keeps_its_state(
    start: Path, log: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    choices = [f"start={start}", f"log={log}", f"out={out}", "first_update=1", "save_seconds=0.01"]
    command = [sys.executable, "-m", "policy.finetune", *choices]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(command, cwd=HOUSE, env=environment)
    try:
        until = time.monotonic() + 120
        while not (out / CHECKPOINT).exists():
            assert process.poll() is None
            assert time.monotonic() < until
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    finally:
        process.kill()
    _, values = read_checkpoint(out / CHECKPOINT)
    assert values["transitions"] == 2 * STEPS
    assert values["updates"] > 0
    refused = subprocess.run(
        [*command, "updates_per_step=0"], cwd=HOUSE, env=environment, capture_output=True, text=True
    )
    assert refused.returncode == 2
    assert "updates_per_step: found 0" in refused.stderr
