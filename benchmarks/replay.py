"""Replay sampling and memory, against torchrl's memory-mapped storage on the same frames.

    pip install -e '.[bench]' && python -m benchmarks.replay [--frames 10000 100000 1000000]

A batch is 256 transitions of 64x64x3 frames, stacks of 3, 3-step returns: 1,536 frames. The same
pseudo-random episodes of 20 actions go into each contender:
- regrasp: the ring and sampler of policy.experience, frames stored once;
- slices: torchrl's LazyMemmapStorage with its SliceSampler (trajectories cached), frames stored
  once, windows of 6 frames that are split into the two stacks;
- indexed: the same storage, with the row numbers computed by hand, as cheaply as torchrl can be
  asked for these frames;
- stacked: LazyMemmapStorage of whole transitions, both stacks stored: torchrl's usual way. Six
  times the memory, so it is left out where that does not hold it.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from benchmarks.harness import Comparison, Worker, compare, save, serve, table
from policy.contract import ActionEntry, ActionSpec, Entry, ImageSpec, Interface, ObservationSpec
from policy.experience.episode import Episode, EpisodeInfo, Verdict
from policy.experience.replay.ring import Ring
from policy.experience.replay.ringwriter import RingWriter
from policy.experience.replay.sampler import Draw, Sampler, Source

STACK, N_STEP, BATCH, LENGTH, GAMMA = 3, 3, 256, 20, 0.99
SIDE, ACTIONS = 64, 7
FRAME = SIDE * SIDE * 3
INTERFACE = Interface(
    ObservationSpec((ImageSpec("front", SIDE, SIDE),), (Entry("height", "m", 0.0, 1.0),)),
    ActionSpec(tuple(ActionEntry(f"a{i}", "1", -1.0, 1.0) for i in range(ACTIONS))),
    0.2,
)
RESULT = Path(__file__).with_name("results") / "replay.json"
POOL = np.random.default_rng(0).integers(0, 256, (256, SIDE, SIDE, 3), np.uint8)


def frames_of(number: int) -> npt.NDArray[np.uint8]:
    """The LENGTH + 1 frames of an episode: noise, drawn from a pool to be quick."""
    frames: npt.NDArray[np.uint8] = POOL[
        np.random.default_rng(number).integers(0, len(POOL), LENGTH + 1)
    ]
    return frames


def blocks(frames: int, size: int = 100) -> Iterator[range]:
    """Episode numbers, `size` at a time: torchrl takes them in faster so."""
    count = frames // (LENGTH + 1)
    for first in range(0, count, size):
        yield range(first, min(first + size, count))


def regrasp(directory: Path, frames: int) -> None:
    steps = LENGTH + 1
    zeros, column = np.zeros(steps, np.float32), np.zeros((steps, ACTIONS), np.float32)
    started = time.perf_counter()
    with RingWriter.create(directory, INTERFACE, frames) as writer:
        for number in range(frames // (LENGTH + 1)):
            info = EpisodeInfo(INTERFACE, "offline", episode_id=str(number))
            still = np.zeros(steps, np.int64)
            writer.add(
                Episode(
                    info=info,
                    images={"front": frames_of(number)},
                    proprio=np.zeros((steps, 1), np.float32),
                    executed=column,
                    policy=column,
                    human=column,
                    driver=np.zeros(steps, np.uint8),
                    q=zeros,
                    reward=zeros,
                    observation_age=zeros,
                    capture_ns=still,
                    execution_ns=still,
                    policy_version=("",) * steps,
                    terminated=True,
                    truncated=False,
                    recovered=False,
                    verdicts=(Verdict("truth", number % 4 == 0),),
                )
            )
        held = len(writer)
    filled = time.perf_counter() - started
    started = time.perf_counter()
    ring = Ring(directory)
    opened = time.perf_counter() - started
    ring.warm()
    warmed = time.perf_counter() - started
    sampler = Sampler([Source(ring)], Draw(STACK, N_STEP, window=2, discount=GAMMA))
    batch = sampler.allocate(BATCH)
    told = {
        "fill_s": filled,
        "open_s": opened,
        "open_and_warm_s": warmed,
        **_memory(directory, held),
    }
    serve(lambda: sampler.sample(BATCH, batch), **told)


def torchrl_frames(directory: Path, frames: int, by_hand: bool) -> None:
    from tensordict import TensorDict
    from torchrl.data import LazyMemmapStorage, TensorDictReplayBuffer
    from torchrl.data.replay_buffers.samplers import SliceSampler

    slices = SliceSampler(
        num_slices=BATCH, traj_key="episode", cache_values=True, strict_length=True
    )
    width = STACK + N_STEP
    options: dict[str, Any] = {} if by_hand else {"sampler": slices}
    buffer = TensorDictReplayBuffer(
        storage=LazyMemmapStorage(frames, scratch_dir=directory),
        batch_size=BATCH * width,
        **options,
    )
    started, held = time.perf_counter(), 0
    for block in blocks(frames):
        episode = torch.tensor(block).repeat_interleave(LENGTH + 1)
        rows = len(episode)
        fields = {
            "pixels": torch.from_numpy(np.concatenate([frames_of(number) for number in block])),
            "proprio": torch.zeros(rows, 1),
            "action": torch.zeros(rows, ACTIONS),
            "reward": torch.zeros(rows),
            "done": (torch.arange(LENGTH + 1) == LENGTH).repeat(len(block)),
            "episode": episode,
        }
        buffer.extend(TensorDict(fields, [rows]))
        held += rows
    filled = time.perf_counter() - started
    powers = GAMMA ** torch.arange(N_STEP)
    back, ahead = torch.arange(1 - STACK, 1), torch.arange(1, N_STEP + 1)
    numbers = torch.cat([back, ahead])

    def sample() -> object:
        if by_hand:
            chosen = torch.randint(0, held // (LENGTH + 1), (BATCH, 1)) * (LENGTH + 1)
            chosen = chosen + torch.randint(STACK - 1, LENGTH - N_STEP + 1, (BATCH, 1))
            window = buffer.storage.get((chosen + numbers).flatten())
        else:
            window = buffer.sample()
        window = window.reshape(BATCH, width)
        pixels, now = window["pixels"], STACK - 1
        reward = (window["reward"][:, STACK:] * powers).sum(1)
        discount = GAMMA**N_STEP * (~window["done"][:, -1]).float()
        return pixels[:, :STACK], pixels[:, N_STEP:], window["action"][:, now + 1], reward, discount

    serve(sample, fill_s=filled, **_memory(directory, held))


def torchrl_stacked(directory: Path, frames: int) -> None:
    from tensordict import TensorDict
    from torchrl.data import LazyMemmapStorage, TensorDictReplayBuffer

    count = frames // (LENGTH + 1) * LENGTH
    storage = LazyMemmapStorage(count, scratch_dir=directory)
    buffer = TensorDictReplayBuffer(storage=storage, batch_size=BATCH)
    started = time.perf_counter()
    t = np.arange(LENGTH)
    observed = np.maximum(t[:, None] + np.arange(1 - STACK, 1), 0)
    after = np.minimum(t + N_STEP, LENGTH)
    next_observed = np.maximum(after[:, None] + np.arange(1 - STACK, 1), 0)
    for block in blocks(frames):
        pictures = [frames_of(number) for number in block]
        rows = len(block) * LENGTH
        fields = {
            "pixels": torch.from_numpy(np.concatenate([p[observed] for p in pictures])),
            "next_pixels": torch.from_numpy(np.concatenate([p[next_observed] for p in pictures])),
            "proprio": torch.zeros(rows, 2),
            "action": torch.zeros(rows, ACTIONS),
            "reward": torch.zeros(rows),
            "discount": torch.zeros(rows),
        }
        buffer.extend(TensorDict(fields, [rows]))
    held = frames // (LENGTH + 1) * (LENGTH + 1)
    serve(buffer.sample, fill_s=time.perf_counter() - started, **_memory(directory, held))


def _memory(directory: Path, held: int) -> dict[str, float]:
    """Disk blocks taken, against the raw bytes of the frames held."""
    taken = sum(file.stat().st_blocks * 512 for file in directory.rglob("*") if file.is_file())
    return {"frames": held, "megabytes": taken / 1e6, "times_raw": taken / (held * FRAME)}


PEERS = {
    "torchrl slices": lambda directory, frames: torchrl_frames(directory, frames, by_hand=False),
    "torchrl indexed": lambda directory, frames: torchrl_frames(directory, frames, by_hand=True),
    "torchrl stacked": torchrl_stacked,
}


def measure(case: str, entries: list[tuple[str, int]], scratch: Path, rounds: int) -> Comparison:
    """Compare (contender, frames) entries, each with files of its own."""
    workers: dict[str, Worker] = {}
    with ExitStack() as stack:
        for name, frames in entries:
            directory = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=scratch)))
            command = [sys.executable, "-m", "benchmarks.replay", "--worker", name]
            command += ["--scratch", str(directory / "frames"), "--frames", str(frames)]
            worker = stack.enter_context(Worker(command))
            workers[f"{name}, {frames:,} frames"] = worker
        return compare(case, workers, rounds)


def cases(sizes: list[int]) -> Iterator[tuple[str, list[tuple[str, int]]]]:
    """Is the ring's time flat? And what does each peer take, of the same size? Where both do not
    fit into memory together, the largest ring that does is the yardstick."""
    yield "flat", [("regrasp", frames) for frames in sizes]
    budget = 0.8 * os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    for frames in sizes:
        for name in PEERS:
            size = frames * FRAME * (2 * STACK if name == "torchrl stacked" else 1)
            fitting = [s for s in sizes if s <= frames and size + s * FRAME < budget]
            if fitting:
                yield "against torchrl", [("regrasp", max(fitting)), (name, frames)]
            else:
                print(f"left out: {name} of {frames:,} frames needs {size / 1e9:.0f} GB of memory")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.replay", description=__doc__)
    parser.add_argument("--frames", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--scratch", type=Path, help="where the frames go (default: /tmp or so)")
    parser.add_argument("--out", type=Path, default=RESULT)
    parser.add_argument("--worker", choices=["regrasp", *PEERS], help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        contender = PEERS.get(arguments.worker, regrasp)
        contender(arguments.scratch, arguments.frames[0])
        return
    comparisons = [
        measure(case, entries, arguments.scratch, arguments.rounds)
        for case, entries in cases(arguments.frames)
    ]
    packages = ["numpy", "torch", "torchrl", "tensordict"]
    save(arguments.out, comparisons, "python -m benchmarks.replay", packages)
    print(table(comparisons))


if __name__ == "__main__":
    main()
