"""SIGKILL at random moments loses nothing that was promised."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
from factories import TINY, counting_episode

from policy.experience.replay.ringwriter import RingWriter
from policy.experience.replay.sampler import Sampler, Source

SCRIPT = Path(__file__).with_name("kill_writers.py")
RING_WRITER = """
import sys
from pathlib import Path
from factories import counting_episode
from policy.experience.replay.ringwriter import RingWriter

ring = RingWriter(Path(sys.argv[1]))
number = ring.added
while True:
    ring.add(counting_episode(number, 10))
    number += 1
    print(number, flush=True)
"""


def test_a_hundred_killed_episode_writers(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(tmp_path / "log"), "100", "0"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    numbers = re.findall(r"\d+", done.stdout)
    kills, torn, steps, lost = map(int, numbers)
    assert kills == 100
    assert torn > 50  # else the moments were not where it hurts
    assert steps > 500
    assert lost == 0


def test_a_killed_replay_writer(tmp_path: Path) -> None:
    """The ring opens at once, holds what was announced, and takes a new writer."""
    path = tmp_path / "ring"
    RingWriter.create(path, TINY, 200).close()
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1] / "support")}
    random = np.random.default_rng(0)
    announced = 0
    for _ in range(10):
        writer = subprocess.Popen(
            [sys.executable, "-c", RING_WRITER, str(path)],
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        assert writer.stdout is not None
        for _ in range(int(random.integers(1, 60))):
            announced = int(writer.stdout.readline())
        writer.send_signal(signal.SIGKILL)
        announced = int((writer.communicate()[0].split() or [str(announced)])[-1])
        with RingWriter(path) as ring:
            assert ring.added in (announced, announced + 1)
            batch = Sampler([Source(ring)]).sample(256)
            frames = batch.images["front"]
            told = 100.0 * (frames[:, 0, 1, 1, 2].float()) + frames[:, 0, 0, 0, 0] + 1
            offset = batch.action[:, 0] - told  # numbers are shown modulo 256
            assert (offset % 25600 == 0).all()
            ring.add(counting_episode(ring.added, 10))
