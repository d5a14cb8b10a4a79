"""What each command of `python -m policy.experience` does."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from tqdm import tqdm

from policy.contract import Interface

from .episode import PERSON, Episode, Verdict
from .errors import ExperienceError
from .log import care
from .log.index import Entry, Index, open_index
from .log.reader import read_episode
from .log.repair import unfinished
from .log.verdicts import VerdictWriter
from .pictures import write_picture
from .sheet import contact_sheet

HEADER = ("episode", "task", "source", "policy", "actions", "person", "return", "label", "end")
LABELS = {True: "success", False: "failure", None: "-"}


def list_(arguments: argparse.Namespace) -> int:
    with open_index(arguments.log) as index:
        entries = list(index)
        rows = [HEADER, *map(_row, entries[-arguments.last :])]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for row in rows:
            cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            print("  ".join(cells).rstrip())
        print(f"{len(entries)} episodes, {sum(entry.steps for entry in entries)} actions")
        return _complain(index.problems)


def _row(entry: Entry) -> tuple[str, ...]:
    end = "terminated" if entry.terminated else "truncated"
    return (
        *(entry.episode_id, entry.task, entry.source, entry.policy_version or "-"),
        *(str(entry.steps), str(entry.human_steps), f"{entry.episode_return:.4g}"),
        *(LABELS[entry.success], end + (", recovered" if entry.recovered else "")),
    )


def inspect(arguments: argparse.Namespace) -> int:
    path = arguments.log
    with open_index(path if path.is_dir() else path.parent) as index:
        entries = [entry for entry in index if path.is_dir() or entry.path == path]
    if not entries:
        raise ExperienceError(f"{path}: found no finished episode, wanted one; record or repair")
    entry = entries[-1]
    episode = replace(read_episode(entry.path), verdicts=entry.verdicts)  # later labels count too
    print(entry.path)
    print("\n".join(f"  {line}" for line in _summary(episode)))
    if arguments.sheet:
        write_picture(arguments.sheet, contact_sheet(episode))
        print(f"  pictures in {arguments.sheet}")
    return 0


def _summary(episode: Episode) -> list[str]:
    info = episode.info
    apart = np.diff(episode.capture_ns) / 1e9
    pace = f"{np.median(apart):.4g} s apart" if len(apart) else "so nothing was done"
    names = info.interface.action.names if len(episode) else []
    return [
        f"{info.task or 'no task'}, source {info.source}, cell {info.cell_id or '-'}",
        *(f"camera {c}: {f.shape}, mean {f.mean():.1f} of 255" for c, f in episode.images.items()),
        f"{len(episode)} actions, {pace}",
        f"return {episode.episode_return:.4g}, label {LABELS[episode.success]}",
        *(
            f"executed {name}: {values.min():.4g} to {values.max():.4g}"
            for name, values in zip(names, episode.executed[1:].T, strict=False)
        ),
        *(f"{v.detector}: {LABELS[v.success]} ({v.confidence:.2f})" for v in episode.verdicts),
    ]


def verify(arguments: argparse.Namespace) -> int:
    files = list(care.verify(arguments.log))
    bad = [error for _, error in files if error is not None]
    print(f"{len(files) - len(bad)} of {len(files)} files are whole")
    torn = [f"{path}: unfinished; run repair" for path in unfinished(arguments.log)]
    return _complain([*bad, *torn])


def repair(arguments: argparse.Namespace) -> int:
    done = list(care.repair_all(arguments.log))
    for old, new, error in done:
        if error is None:
            fate = f"repaired as {new.name}" if new else "no complete step, set aside"
            print(f"{old.name}: {fate}")
    print(f"{len(done)} files needed repair")
    return _complain([error for *_, error in done if error is not None])


def merge(arguments: argparse.Namespace) -> int:
    count, problems = care.merge(arguments.sources, arguments.log)
    print(f"{count} new files in {arguments.log}")
    return _complain(problems)


def label(arguments: argparse.Namespace) -> int:
    with open_index(arguments.log) as index:
        known = {entry.episode_id for entry in index}
    if arguments.episode not in known:
        raise ExperienceError(
            f"episode: found {arguments.episode!r}, wanted one of {arguments.log}; see `list`"
        )
    with VerdictWriter(arguments.log) as verdicts:
        verdicts.add(arguments.episode, Verdict(PERSON, arguments.verdict == "success"))
    return 0


def export(arguments: argparse.Namespace) -> int:
    from .lerobot import export as to_lerobot  # needs pyarrow, an extra

    print(f"LeRobotDataset in {to_lerobot(arguments.log, arguments.out)}")
    return 0


def record(arguments: argparse.Namespace) -> int:
    import gymnasium  # with MuJoCo behind it, half a second that the other commands need not wait

    from .record import record_episodes

    height, width = arguments.size
    env = gymnasium.make(arguments.env, render_mode="rgb_array", height=height, width=width)
    runs = record_episodes(
        env, arguments.log, arguments.episodes, arguments.size, seed=arguments.seed
    )
    for _ in tqdm(runs, f"recording {arguments.env}", arguments.episodes, unit="episode"):
        pass
    env.close()
    return 0


def replay(arguments: argparse.Namespace) -> int:
    from .fill import fill  # with torch behind it, which takes its second to load
    from .replay import Draw, RingWriter, Sampler, Source

    with open_index(arguments.log) as index:
        if (arguments.ring / "meta.json").exists():
            ring = RingWriter(arguments.ring)
        else:
            ring = RingWriter.create(arguments.ring, *_size_of(arguments, index))
        with ring:
            filled = fill(ring, index)
            print(f"{filled.added} episodes added, {len(ring)} of {ring.capacity} frames held")
            sampler = Sampler([Source(ring)], Draw(arguments.stack, arguments.n_step))
            batch = sampler.allocate(arguments.batch)
            started, rounds = time.perf_counter(), 200
            for _ in range(rounds):
                sampler.sample(arguments.batch, batch)
            each = (time.perf_counter() - started) / rounds
    shapes = ", ".join(f"{name} {tuple(t.shape)}" for name, t in batch.images.items())
    print(
        f"{arguments.batch} transitions in {1e3 * each:.2f} ms: {shapes}, {arguments.n_step}-step"
    )
    return _complain(filled.problems)


def _size_of(arguments: argparse.Namespace, index: Index) -> tuple[Interface, int]:
    """The interface and the capacity of a ring for this log."""
    entries = list(index)
    if not entries:
        raise ExperienceError(f"{arguments.log}: found no episode, wanted one; record some")
    interface = read_episode(entries[0].path).info.interface
    return interface, arguments.capacity or sum(entry.steps + 1 for entry in entries)


def _complain(problems: Sequence[object]) -> int:
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0
