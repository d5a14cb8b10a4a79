"""A log as a translator shows it: the same episodes, one camera's pictures painted.

    python -m sim2real.translate out/sim out/translator --out out/painted
    python -m policy.train data.logs=[out/sim,out/painted,out/kitchen] data.shares=[1,2,1]

What comes of it is a log like any other, made once: called again, the command adds what the log has
got since, verdicts included. Ids follow from those of the log and from the translator's weights: a
replay takes what was painted for episodes of its own, and no directory holds what two translators
made.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from tqdm import tqdm

from policy.contract import Invalid
from policy.experience.episode import EpisodeInfo, Verdict
from policy.experience.log import Entry, VerdictWriter, open_index, read_episode
from policy.experience.log.whole import write_episode
from policy.experience.telling import exit_code
from policy.run import CHECKPOINT

from .config import TranslateConfig, read_translator
from .reading import frames_of
from .translator import painted


def translate(log: Path, run: Path, out: Path, device: str = "cpu") -> tuple[int, int]:
    """Returns how many episodes, and verdicts on those that were there, were added."""
    config, translator = read_translator(run, device)
    weights = _digest((run / CHECKPOINT).read_bytes())[:8]
    with open_index(log) as index:
        entries = list(index)
    if not entries:
        raise Invalid("log", f"no episode in {log}", "one or more", "collect some")
    out.mkdir(parents=True, exist_ok=True)
    with open_index(out) as index:
        had = {entry.episode_id: entry.verdicts for entry in index}
    for foreign in sorted(one for one in had if not one.startswith(f"painted-{weights}-")):
        wanted = f"what {run} has painted, as it is now"
        raise Invalid("out", foreign, wanted, "name another directory")
    names = _names(weights, entries)
    new = [entry for entry in entries if names[entry.episode_id] not in had]
    for entry in tqdm(new, "translating", unit=" episodes"):
        episode = replace(read_episode(entry.path), verdicts=entry.verdicts)
        shown = frames_of("log", episode, config.camera, config.size)
        images = {**episode.images, config.camera: painted(translator, shown, device)}
        info = _renamed(episode.info, names[entry.episode_id], config)
        write_episode(replace(episode, info=info, images=images), out)
    return len(new), _judged_since(entries, names, had, out)


def _judged_since(
    entries: Sequence[Entry],
    names: Mapping[str, str],
    had: Mapping[str, Sequence[Verdict]],
    out: Path,
) -> int:
    added = 0
    with VerdictWriter(out) as verdicts:
        for entry in entries:
            name = names[entry.episode_id]
            for verdict in entry.verdicts if name in had else ():
                if verdict not in had[name]:
                    verdicts.add(name, verdict)
                    added += 1
    return added


def _names(weights: str, entries: Sequence[Entry]) -> dict[str, str]:
    """Of the painted episodes, by those that they are made from."""
    return {
        entry.episode_id: f"painted-{weights}-{_digest(entry.episode_id.encode())[:16]}"
        for entry in entries
    }


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _renamed(info: EpisodeInfo, name: str, config: TranslateConfig) -> EpisodeInfo:
    """With what it was painted from, and by whom."""
    seen = info.interface.observation
    images = tuple(
        replace(image, height=config.size, width=config.size)
        if image.name == config.camera
        else image
        for image in seen.images
    )
    origin = {"episode": info.episode_id, "translator": config.name}
    return replace(
        info,
        interface=replace(info.interface, observation=replace(seen, images=images)),
        parameters={**info.parameters, "painted": origin},
        episode_id=name,
    )


def main(argv: list[str] | None = None) -> int:
    top = argparse.ArgumentParser(prog="python -m sim2real.translate", description=__doc__)
    top.add_argument("log", type=Path, help="whose episodes to paint")
    top.add_argument("run", type=Path, help="of sim2real.train")
    top.add_argument("--out", type=Path, required=True, help="the log to make, or to add to")
    top.add_argument("--device", default="cpu")
    a = top.parse_args(argv)

    def work() -> None:
        episodes, verdicts = translate(a.log, a.run, a.out, a.device)
        print(f"{episodes} episodes added to {a.out}, and {verdicts} verdicts on older ones")

    return exit_code(work)


if __name__ == "__main__":
    sys.exit(main())
