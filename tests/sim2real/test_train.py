"""A whole run, small: two logs in, a translator and its pictures out; and going on after a stop."""

from __future__ import annotations

import math
import shutil
import signal
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf
from two_rooms import SIZE, write_room

import sim2real
from policy.checkpoint import read_checkpoint
from policy.contract import ContractError, Invalid
from policy.experience.episode import PERSON, Verdict
from policy.experience.log import VerdictWriter
from policy.run import CHECKPOINT, recorded
from sim2real.config import (
    LEAST_RATE,
    TranslateConfig,
    from_mapping,
    make_translator,
    read_translator,
)
from sim2real.cyclegan import CycleGan
from sim2real.data import as_tensor
from sim2real.detection import write_detector
from sim2real.detector import Detector, DetectorConfig
from sim2real.retinagan import RetinaConfig
from sim2real.train import GRID, Training, train
from sim2real.watch import PATIENCE, Watch

DETECTOR = "detector.safetensors"
SMALL: dict[str, Any] = {
    "size": SIZE,
    "networks": {
        "width": 4,
        "blocks": 1,
        "discriminator_width": 4,
        "discriminator_layers": 1,
    },
    "batch": 2,
    "updates": 6,
    "report_every": 2,
    "show_every": 4,
}


TRANSLATORS = ["colour", "gan", "cyclegan", "retinagan", "rlcyclegan"]


@pytest.fixture(scope="module")
def rooms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("rooms")
    for room in ("sim", "cell"):
        write_room(directory / room, room)
        with VerdictWriter(directory / room) as verdicts:
            for number in range(6):
                verdicts.add(f"{room}-{number}", Verdict(PERSON, number % 2 == 0))
    torch.manual_seed(0)
    write_detector(directory / DETECTOR, Detector(DetectorConfig(SIZE, 8)), {})
    return directory


def config(rooms: Path, **fields: Any) -> TranslateConfig:
    logs = {room: str(rooms / room) for room in ("sim", "cell")}
    if fields.get("translator") == "retinagan":
        fields["retinagan"] = {"detector": str(rooms / DETECTOR)}
    if fields.get("translator") == "rlcyclegan":
        fields["rlcyclegan"] = {"q": {"critic": {"width": 8, "hidden": 16}}}
    return from_mapping({**SMALL, **logs, **fields})


@pytest.mark.parametrize("translator", TRANSLATORS)
def test_from_two_logs_to_pictures(rooms: Path, tmp_path: Path, translator: str) -> None:
    train(config(rooms, translator=translator), tmp_path)
    assert (tmp_path / GRID).stat().st_size > 1000
    lines = recorded(tmp_path)
    assert [line["updates"] for line in lines if line["kind"] == "train"] == [2, 4, 6]
    assert any(line["kind"] == "held_out" and line["spread"] > 0 for line in lines)
    assert list(tmp_path.glob("events.*"))


def test_colours_come_out_as_the_cells(rooms: Path, tmp_path: Path) -> None:
    """As far as bytes can: what is brighter than white stays white."""
    with ExitStack() as stack:
        training = Training(config(rooms, translator="colour", updates=40), tmp_path, stack)
        training.train()
        sim, cell = (as_tensor(d.pictures) for d in (training.data.sim, training.data.cell))
        painted = training.translator.translate(sim)
    far = (sim.mean((0, 2, 3)) - cell.mean((0, 2, 3))).abs().max()
    near = (painted.mean((0, 2, 3)) - cell.mean((0, 2, 3))).abs().max()
    assert near < 0.1 * far


@pytest.mark.parametrize("translator", TRANSLATORS)
def test_a_run_that_was_stopped_ends_bit_for_bit_as_one_that_was_not(
    rooms: Path, tmp_path: Path, translator: str
) -> None:
    choices = config(rooms, translator=translator)
    train(choices, tmp_path / "whole")
    with ExitStack() as stack:
        stopped = Training(choices, tmp_path / "stopped", stack)
        for _ in range(3):
            stopped.advance()
        stopped.show()
        stopped.save()
    train(choices, tmp_path / "stopped")
    whole, _ = read_checkpoint(tmp_path / "whole" / CHECKPOINT)
    rest, values = read_checkpoint(tmp_path / "stopped" / CHECKPOINT)
    assert values["updates"] == 6
    assert rest.keys() == whole.keys()
    assert all(torch.equal(rest[name], whole[name]) for name in whole)


def test_an_interrupt_within_an_update_loses_nothing(
    rooms: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    choices = config(rooms)
    train(choices, tmp_path / "whole")
    tell = CycleGan._tell_better

    def interrupted(made: CycleGan, losses: Any) -> None:
        signal.raise_signal(signal.SIGINT)  # painters have learnt, discriminators have not
        tell(made, losses)

    with monkeypatch.context() as patch:
        patch.setattr(CycleGan, "_tell_better", interrupted)
        with pytest.raises(KeyboardInterrupt):
            train(choices, tmp_path / "stopped")
    train(choices, tmp_path / "stopped")
    whole, rest = (read_checkpoint(tmp_path / of / CHECKPOINT)[0] for of in ("whole", "stopped"))
    assert all(torch.equal(rest[name], whole[name]) for name in whole)


def test_a_cycle_learns_to_come_back(rooms: Path, tmp_path: Path) -> None:
    with ExitStack() as stack:
        training = Training(config(rooms, updates=40), tmp_path, stack)
        losses = [training.advance()["cycle_loss"] for _ in range(40)]
    assert sum(losses[-10:]) < 0.8 * sum(losses[:10])


def test_a_loss_that_is_not_finite_ends_the_run_and_keeps_the_checkpoint(
    rooms: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(config(rooms, updates=4), tmp_path)
    kept = (tmp_path / CHECKPOINT).read_bytes()
    monkeypatch.setattr(CycleGan, "update", lambda *_: {"cycle_loss": math.nan})
    with pytest.raises(Invalid, match="cycle_loss of update 5: found nan, wanted finite"):
        train(config(rooms, updates=8), tmp_path)
    assert (tmp_path / CHECKPOINT).read_bytes() == kept


def test_a_generator_that_paints_one_picture_is_named(rooms: Path, tmp_path: Path) -> None:
    with ExitStack() as stack:
        training = Training(config(rooms), tmp_path, stack)
        translator = training.translator
        assert isinstance(translator, CycleGan)
        training.show()
        last = list(translator.cell.averaged.parameters())[-2]
        torch.nn.init.zeros_(last)
        with pytest.raises(Invalid, match=r"generator: found 'pictures that differ 0\.0%"):
            training.show()
        assert training.broken


def test_a_discriminator_that_is_never_wrong_is_named() -> None:
    watch = Watch()
    for _ in range(PATIENCE - 1):  # it may be ahead for a while
        watch.losses({"told_apart.cell_loss": 0.001, "cycle_loss": 0.001})
    with pytest.raises(Invalid, match=r"discriminator of cell: found 'a loss of 0\.001 over"):
        watch.losses({"told_apart.cell_loss": 0.001})
    even = Watch()
    for _ in range(2 * PATIENCE):
        even.losses({"told_apart.cell_loss": 0.2})


def test_a_directory_is_not_taken_for_another_run(rooms: Path, tmp_path: Path) -> None:
    train(config(rooms, updates=2), tmp_path)
    with pytest.raises(ContractError, match="translator: found 'gan', wanted cyclegan"):
        train(config(rooms, updates=2, translator="gan"), tmp_path)


def test_the_command_line_is_a_configuration() -> None:
    directory = Path(sim2real.__file__).parent / "conf"
    with initialize_config_dir(str(directory), version_base="1.3"):
        choices = compose("train", ["sim=out/sim", "cell=out/cell", "networks.generator=unet"])
    values = OmegaConf.to_container(choices, resolve=True)
    assert isinstance(values, dict)
    del values["out"]
    found = from_mapping({str(name): value for name, value in values.items()})
    assert found == from_mapping(
        {"sim": "out/sim", "cell": "out/cell", "networks": {"generator": "unet"}}
    )
    assert make_translator(found)


def test_the_learning_rate_falls_towards_the_end(rooms: Path) -> None:
    choices = config(rooms, updates=100)
    assert [choices.rate(k) for k in (0, 50, 75, 100)] == [1.0, 1.0, 0.5, LEAST_RATE]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"batch": 0}, "batch: found 0, wanted 1 or more"),
        ({"networks": {"widht": 3}}, "networks.widht.*did you mean 'width'"),
        ({"translator": "magic"}, "translator: found 'magic', wanted 'colour'"),
    ],
)
def test_what_cannot_be_is_refused_by_name(rooms: Path, change: dict[str, Any], named: str) -> None:
    with pytest.raises(ContractError, match=named):
        config(rooms, **change)


def test_to_translate_nothing_is_needed_of_what_it_learnt_from(rooms: Path, tmp_path: Path) -> None:
    detector = tmp_path / DETECTOR
    shutil.copy(rooms / DETECTOR, detector)
    chosen = config(rooms, translator="retinagan")
    train(replace(chosen, retinagan=RetinaConfig(str(detector))), tmp_path / "run")
    detector.unlink()
    _, translator = read_translator(tmp_path / "run")
    shown = torch.rand(2, 3, SIZE, SIZE)
    assert translator.translate(shown).shape == shown.shape
