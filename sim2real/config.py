"""What a translator's training is: every choice by name, from conf/ and the command line."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import torch

from policy.checkpoint import read_checkpoint, reading
from policy.contract import Deployment, Interface, Invalid, Strict, decode, decode_json, encode
from policy.run import CHECKPOINT, CONFIG, DEPLOYMENT

from .adversarial import GameConfig
from .colour import Colour
from .cyclegan import CycleConfig, CycleGan
from .gan import Gan
from .networks import NetworkConfig
from .rcan import Rcan, RcanConfig
from .retinagan import RetinaConfig, RetinaGan
from .rlcyclegan import RLCycleGan, SceneConfig
from .translator import Translator

USED = {
    "colour": set[str](),
    "gan": {"networks", "gan"},
    "cyclegan": {"networks", "cyclegan"},
    "retinagan": {"networks", "cyclegan", "retinagan"},
    "rlcyclegan": {"networks", "cyclegan", "rlcyclegan"},
    "rcan": {"networks", "rcan"},
}
PARTS = set[str]().union(*USED.values())
LEAST_RATE = 0.02  # of the learning rate, at the end


@dataclass(frozen=True)
class TranslateConfig(Strict):
    sim: str  # experience logs
    cell: str
    translator: Literal["colour", "gan", "cyclegan", "retinagan", "rlcyclegan", "rcan"] = "cyclegan"
    camera: str = "front"
    size: int = 64  # px
    networks: NetworkConfig = field(default_factory=NetworkConfig)
    gan: GameConfig = field(default_factory=GameConfig)
    cyclegan: CycleConfig = field(default_factory=CycleConfig)
    rcan: RcanConfig = field(default_factory=RcanConfig)
    retinagan: RetinaConfig = field(default_factory=RetinaConfig)  # and cyclegan's
    rlcyclegan: SceneConfig = field(default_factory=SceneConfig)  # and cyclegan's
    name: str = "translator"
    seed: int = 0
    batch: int = 4  # published: 1
    updates: int = 3000
    decay: float = 0.5  # from this share of the updates on, the learning rate falls, as published
    report_every: int = 50  # updates
    show_every: int = 500
    save_minutes: float = 5.0
    threads: int = 1
    device: str = "cpu"

    def __post_init__(self) -> None:
        if not 0 <= self.decay <= 1:
            raise Invalid("decay", self.decay, "0 to 1", "1 is never")
        for name in ("batch", "updates", "report_every", "show_every"):
            if getattr(self, name) < 1:
                raise Invalid(name, getattr(self, name), "1 or more", "say how many")

    def plain(self) -> dict[str, Any]:
        """As data, without what this translator has no use for."""
        values: dict[str, Any] = encode(self)
        unused = PARTS - USED[self.translator]
        return {name: value for name, value in values.items() if name not in unused}

    def rate(self, updates: int) -> float:
        """The share of the learning rate that is right now."""
        done = updates / self.updates
        if done <= self.decay:
            return 1.0
        return max((1 - done) / (1 - self.decay), LEAST_RATE)


def from_mapping(values: Mapping[str, Any]) -> TranslateConfig:
    return decode(TranslateConfig, dict(values), "translator's configuration")


def make_translator(
    config: TranslateConfig, interface: Interface | None = None, learns: bool = True
) -> Translator:
    """`interface`: of the logs, for one that learns what actions are worth. One that is only to
    translate needs nothing of what it learnt from."""
    device = torch.device(config.device)
    if config.translator == "colour":
        return Colour(device)
    if config.translator == "gan":
        return Gan(config.networks, config.gan, config.size, device)
    if config.translator == "rcan":
        return Rcan(config.networks, config.rcan, config.size, device)
    if config.translator == "retinagan" and learns:
        parts = config.networks, config.cyclegan, config.retinagan
        return RetinaGan(*parts, config.size, device)
    if config.translator == "rlcyclegan":
        if interface is None:
            raise Invalid("interface", None, "the logs'", "give it along")
        worlds = config.networks, config.cyclegan, config.rlcyclegan
        return RLCycleGan(*worlds, config.size, device, interface)
    return CycleGan(config.networks, config.cyclegan, config.size, device)


def read_translator(run: Path, device: str = "cpu") -> tuple[TranslateConfig, Translator]:
    """What a run of sim2real.train has come to, wherever that was."""
    with reading(run / CONFIG, "a run of sim2real.train"):
        config = from_mapping(json.loads((run / CONFIG).read_text()))
        told = (run / DEPLOYMENT).read_text()
    interface = decode_json(Deployment, told, str(run)).interface
    translator = make_translator(replace(config, device=device), interface, learns=False)
    with torch.random.fork_rng():  # a checkpoint brings its run's chance along
        tensors, _ = read_checkpoint(run / CHECKPOINT)
    translator.load_state_dict(tensors)
    return config, translator


def translator_of(run: Path, camera: str, size: int) -> tuple[TranslateConfig, Translator]:
    """One that paints these very pictures, on the CPU."""
    config, translator = read_translator(run)
    if (config.camera, config.size) != (camera, size):
        found, asked = f"{config.camera} at {config.size} px", f"{camera} at {size} px"
        raise Invalid(f"translator {run.name}", found, asked, "name --camera and --size so")
    return config, translator


def names_of(paths: Sequence[Path]) -> list[str]:
    """Of logs and runs beside each other: their own, but the whole path where two share one."""
    shared = Counter(path.name for path in paths)
    return [path.name if shared[path.name] == 1 else str(path) for path in paths]
