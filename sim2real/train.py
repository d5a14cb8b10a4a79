"""Train a translator on two logs that nothing pairs.

    python -m sim2real.train sim=out/sim cell=out/cell translator=cyclegan out=out/translator

Every choice stands in conf/ and can be changed on the command line; a run that was stopped goes on
when it is started again with the same directory.
"""

from __future__ import annotations

import math
import time
from contextlib import ExitStack
from pathlib import Path

import hydra
import numpy as np
import torch
from hydra.core.config_store import ConfigStore
from omegaconf import DictConfig
from tqdm import tqdm

from policy.command import carry_out
from policy.contract import Deployment, Invalid, encode
from policy.experience.pictures import write_picture
from policy.interrupts import held_back
from policy.run import Run

from .config import TranslateConfig, from_mapping, make_translator
from .data import Pictures, Unpaired, as_tensor
from .grids import COLUMNS, canonical_grid, grid
from .pairs import Pairs, read_pairs
from .rcan import Rcan
from .reading import interface_of, read_unpaired
from .rlcyclegan import RLCycleGan
from .transitions import Plays
from .translator import Metrics
from .watch import Watch

MINUTE = 60.0
GRID = "pictures.png"


class Training:
    """One run under way; what it needs to go on after a stop is in its directory."""

    def __init__(self, config: TranslateConfig, directory: Path, stack: ExitStack) -> None:
        self.config = config
        torch.set_num_threads(config.threads)
        torch.manual_seed(config.seed)
        sim, cell = Path(config.sim), Path(config.cell)
        self.data: Unpaired | Pairs
        self.held_out: Unpaired | Pairs
        logs = sim, cell, config.camera, config.size
        if config.translator == "rcan":
            self.data, self.held_out = read_pairs(*logs)
        else:  # who learns what actions are worth has to know what came of them
            judged = config.translator == "rlcyclegan"
            self.data, self.held_out = read_unpaired(*logs, judged)
        info = interface_of(sim, config.camera, config.size)
        self.translator = make_translator(config, info.interface)
        deployment = Deployment.as_seen(info.cell_id, info.interface)
        self.run = stack.enter_context(Run(directory, config, deployment))
        self.progress = self.run.resume(self.translator)
        self._plays: Plays | None = None
        if isinstance(self.translator, RLCycleGan) and isinstance(self.data, Unpaired):
            self._plays = Plays(self.data, config.camera, self.translator.draw)
        self._watch = Watch()
        self._measured: list[Metrics] = []
        self._saved = self.progress.seconds
        self.broken = False

    def train(self) -> None:
        config, progress = self.config, self.progress
        with tqdm(total=config.updates, initial=progress.updates, unit=" updates") as bar:
            while progress.updates < config.updates:
                begun = time.perf_counter()
                metrics = self.advance()
                progress.seconds += time.perf_counter() - begun
                bar.update(1)
                bar.set_postfix({k: f"{v:.2f}" for k, v in metrics.items()}, refresh=False)
                self._regularly()

    def advance(self) -> Metrics:
        """One update; a game that is lost is the end."""
        progress = self.progress
        self.translator.slow_down(self.config.rate(progress.updates))
        with held_back():
            metrics = self._updated()
            progress.updates += 1
        self._measured.append(metrics)
        try:
            self._require_finite(metrics)
            self._watch.losses(metrics)
        except Invalid:
            self.broken = True
            raise
        return metrics

    def _updated(self) -> Metrics:
        batch, device = self.config.batch, self.config.device
        if self._plays is not None and isinstance(self.translator, RLCycleGan):
            played = self._plays.draw(batch)
            return self.translator.play(*(part.to(device) for part in played))
        sim, cell = (part.to(device) for part in self.data.draw(batch))
        return self.translator.update(sim, cell)

    def _require_finite(self, metrics: Metrics) -> None:
        for name, value in metrics.items():
            if not math.isfinite(value):
                field = f"{name} of update {self.progress.updates}"
                remedy = "begin again in another directory, with a lower learning_rate"
                raise Invalid(field, value, "finite", remedy)

    def _regularly(self) -> None:
        config, progress = self.config, self.progress
        if progress.updates % config.report_every == 0:
            self.run.record("train", progress, self._means())
        if progress.updates % config.show_every == 0:
            self.show()
        if progress.seconds - self._saved >= MINUTE * config.save_minutes:
            self.save()

    def _means(self) -> Metrics:
        """Of what was measured since the last time."""
        measured, self._measured = self._measured, []
        return {name: float(np.mean([one[name] for one in measured])) for name in measured[0]}

    def show(self) -> None:
        """Pictures that were held out, and whether the generator still tells them apart."""
        sim, cell = self.held_out.sim.some(COLUMNS), self.held_out.cell.some(COLUMNS)
        shown = as_tensor(sim).to(self.config.device)
        try:
            share = self._watch.outputs(shown, self.translator.translate(shown))
        except Invalid:
            self.broken = True
            raise
        picture = self._grid(sim, cell)
        self.run.record("held_out", self.progress, {"spread": share})
        self.run.show("held_out", self.progress, picture)
        write_picture(self.run.directory / GRID, picture)

    def _grid(self, sim: Pictures, cell: Pictures) -> Pictures:
        translator, held_out, device = self.translator, self.held_out, self.config.device
        if isinstance(translator, Rcan) and isinstance(held_out, Pairs):
            return canonical_grid(translator, held_out, device)
        return grid(translator, sim, cell, device)

    def save(self) -> None:
        self._saved = self.progress.seconds
        self.run.save(self.translator, self.progress)


def train(config: TranslateConfig, directory: Path) -> None:
    with ExitStack() as stack:
        training = Training(config, directory, stack)
        try:
            training.train()
            training.show()
        finally:
            if not training.broken:
                training.save()  # Ctrl-C, too, loses nothing


# Every field by its default, so that each can be set by name, and no other.
FIELDS = encode(TranslateConfig("???", "???"))
ConfigStore.instance().store(name="translate_fields", node=FIELDS)


@hydra.main(version_base="1.3", config_path="conf", config_name="train")
def main(choices: DictConfig) -> None:
    carry_out(choices, lambda values, directory: train(from_mapping(values), directory))


if __name__ == "__main__":
    main()
