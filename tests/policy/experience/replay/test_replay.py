"""The ring and the sampler: hand-computed targets, wrap-around, shares, many processes."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from factories import INTERFACE, TINY, counting_episode
from hypothesis import given, settings
from hypothesis import strategies as st

from policy.experience.episode import Driver, Episode
from policy.experience.errors import BusyError, DamagedError, ExperienceError, ForeignError
from policy.experience.replay.prefetch import Prefetcher
from policy.experience.replay.ring import Ring
from policy.experience.replay.ringwriter import RingWriter
from policy.experience.replay.sampler import Batch, Draw, Sampler, Source, apportion


def rows(batch: Batch) -> list[tuple[int, int]]:
    """(episode number, step) of every observation drawn."""
    frames = batch.images["front"][:, -1]
    return list(zip(frames[:, 1, 1, 2].tolist(), frames[:, 0, 0, 0].tolist(), strict=True))


def at(batch: Batch, episode: int, t: int) -> int:
    return rows(batch).index((episode, t))


def test_hand_computed_targets(tmp_path: Path) -> None:
    """Two episodes of 4 actions, one terminal, one cut short; 3-step, gamma 1/2."""
    with RingWriter.create(tmp_path / "ring", TINY, 100) as ring:
        ring.add(counting_episode(1, 4, terminated=True))
        ring.add(counting_episode(2, 4, terminated=False))
        draw = Draw(stack=2, n_step=3, window=2, discount=0.5)
        batch = Sampler([Source(ring)], draw).sample(400)

        i = at(batch, 1, 0)  # rewards 101, 102, 103; bootstraps from observation 3
        assert batch.reward[i] == 101 + 0.5 * 102 + 0.25 * 103
        assert batch.discount[i] == 0.125
        assert batch.images["front"][i, :, 0, 0, 0].tolist() == [0, 0]  # padded with the first
        assert batch.next_images["front"][i, :, 0, 0, 0].tolist() == [2, 3]
        assert batch.action[i] == 101
        assert batch.past_actions[i].flatten().tolist() == [0, 0]
        assert batch.next_past_actions[i].flatten().tolist() == [102, 103]
        assert (batch.proprio[i].item(), batch.next_proprio[i].item()) == (0, 3)

        i = at(batch, 1, 1)  # 102, 103, 104 and then the terminal state: nothing after
        assert batch.reward[i] == 102 + 0.5 * 103 + 0.25 * 104
        assert batch.discount[i] == 0

        i = at(batch, 1, 3)  # one action is left: a one-step return, and nothing after
        assert batch.reward[i] == 104
        assert batch.discount[i] == 0

        i = at(batch, 2, 1)  # cut short at observation 4: bootstraps from it
        assert batch.reward[i] == 202 + 0.5 * 203 + 0.25 * 204
        assert batch.discount[i] == 0.125

        i = at(batch, 2, 3)  # a one-step return that bootstraps from the final observation
        assert batch.reward[i] == 204
        assert batch.discount[i] == 0.5
        assert batch.next_images["front"][i, :, 0, 0, 0].tolist() == [3, 4]
        assert batch.past_actions[i].flatten().tolist() == [202, 203]
        assert set(rows(batch)) == {(e, t) for e in (1, 2) for t in range(4)}


def driven(number: int, drivers: list[Driver]) -> Episode:
    """A counting episode, each action by its driver."""
    whole = counting_episode(number, len(drivers))
    return replace(whole, driver=np.array([Driver.NOBODY, *drivers], np.uint8))


def test_a_window_ends_where_another_takes_over(tmp_path: Path) -> None:
    """What a person earned is not the policy's, nor what the policy lost the person's."""
    policy, human = Driver.POLICY, Driver.HUMAN
    with RingWriter.create(tmp_path / "ring", TINY, 100) as ring:
        ring.add(driven(1, [policy, policy, human, human, policy]))
        batch = Sampler([Source(ring)], Draw(n_step=4, window=0, discount=0.5)).sample(400)
    i = at(batch, 1, 0)  # 101, 102, and then the state in which the person takes over
    assert batch.reward[i] == 101 + 0.5 * 102
    assert batch.discount[i] == 0.25
    assert batch.next_proprio[i] == 2
    i = at(batch, 1, 2)  # the person's own two
    assert batch.reward[i] == 103 + 0.5 * 104
    assert batch.discount[i] == 0.25
    assert batch.next_proprio[i] == 4
    i = at(batch, 1, 4)  # and what ends the episode still does
    assert batch.reward[i] == 105
    assert batch.discount[i] == 0


def test_a_source_of_what_a_person_did(tmp_path: Path) -> None:
    """Wherever it is in the ring, across the wrap too; with what was seen and done before it."""
    policy, human = Driver.POLICY, Driver.HUMAN
    with RingWriter.create(tmp_path / "ring", TINY, 14) as ring:
        source = Source(ring, success_share=0.5, drivers=(human,))
        sampler = Sampler([source, Source(ring)], Draw(window=2))
        ring.add(driven(0, [policy, policy]))
        assert set(sampler.sample(8).source.tolist()) == {1}  # nothing: its share is the other's
        for number in range(1, 20):
            ring.add(driven(number, [policy, human, policy, human]))
            batch = sampler.sample(200)
            [own] = torch.nonzero(batch.source == 0, as_tuple=True)
            assert len(own) == 100
            assert (batch.driver[own] == human).all()
            assert {rows(batch)[k][1] for k in own.tolist()} == {1, 3}
            [k, *_] = [k for k in own.tolist() if rows(batch)[k] == (number, 3)]
            told = [100.0 * number + 2, 100.0 * number + 3]
            assert batch.past_actions[k].flatten().tolist() == told


@given(lengths=st.lists(st.integers(1, 9), min_size=1, max_size=30), capacity=st.integers(20, 60))
@settings(max_examples=20, deadline=None)
def test_counts_all_that_it_ever_took(
    tmp_path_factory: pytest.TempPathFactory, lengths: list[int], capacity: int
) -> None:
    path = tmp_path_factory.mktemp("ring") / "ring"
    with RingWriter.create(path, TINY, capacity) as ring:
        assert ring.taken == 0
        for number, length in enumerate(lengths):
            ring.add(counting_episode(number, length))
            assert ring.taken == sum(lengths[: number + 1])
    assert Ring(path).taken == sum(lengths)


def test_the_same_across_the_wrap(tmp_path: Path) -> None:
    """Episodes of 5 frames in a ring of 12: every third one lies across the end of the files."""
    with RingWriter.create(tmp_path / "ring", TINY, 12) as ring:
        for number in range(1, 30):
            ring.add(counting_episode(number, 4, terminated=False))
            batch = Sampler([Source(ring)], Draw(stack=3, n_step=2, discount=0.5)).sample(200)
            held = {number - 1, number} - {0}  # two fit; the third oldest was evicted whole
            assert set(rows(batch)) == {(e, t) for e in held for t in range(4)}
            i = at(batch, number, 2)
            assert batch.reward[i] == 100 * number + 3 + 0.5 * (100 * number + 4)
            assert batch.images["front"][i, :, 0, 0, 0].tolist() == [0, 1, 2]
            assert batch.next_images["front"][i, :, 0, 0, 0].tolist() == [2, 3, 4]
            assert (batch.next_images["front"][i, :, 1, 1, 2] == number).all()
            assert batch.discount[i] == 0.25


@settings(max_examples=40, deadline=None)
@given(
    lengths=st.lists(st.integers(0, 15), min_size=1, max_size=25),
    capacity=st.integers(16, 60),
    stack=st.integers(1, 4),
    n_step=st.integers(1, 4),
    seed=st.integers(0, 1000),
)
def test_any_history_yields_true_transitions(
    tmp_path_factory: pytest.TempPathFactory,
    lengths: list[int],
    capacity: int,
    stack: int,
    n_step: int,
    seed: int,
) -> None:
    """Whatever was added, each transition drawn is one of an episode still held, whole."""
    path = tmp_path_factory.mktemp("ring") / "ring"
    with RingWriter.create(path, TINY, capacity) as ring:
        for number, length in enumerate(lengths):
            assert ring.add(counting_episode(number, length, terminated=number % 2 == 0)) == length
        assert len(ring) <= capacity
        if not any(lengths):
            return
        draw = Draw(stack=stack, n_step=n_step, discount=0.5)
        batch = Sampler([Source(ring)], draw, seed=seed).sample(32)
        for i, (number, t) in enumerate(rows(batch)):
            length = lengths[number]
            steps = min(n_step, length - t)
            earned = sum(0.5**j * (100 * number + t + 1 + j) for j in range(steps))
            over = t + steps == length and number % 2 == 0
            assert batch.reward[i].item() == pytest.approx(earned)
            assert batch.discount[i].item() == pytest.approx(0 if over else 0.5**steps)
            seen = batch.images["front"][i, :, 0, 0, 0].tolist()
            assert seen == [max(t - j, 0) for j in reversed(range(stack))]
            assert (batch.next_images["front"][i, :, 1, 1, 2] == number).all()
            assert batch.next_proprio[i].item() == t + steps


def test_shares_of_sources_and_of_success(tmp_path: Path) -> None:
    offline = RingWriter.create(tmp_path / "offline", TINY, 1000)
    online = RingWriter.create(tmp_path / "online", TINY, 1000)
    for number in range(20):  # one success in ten
        offline.add(counting_episode(number, 5, success=number % 10 == 0))
    online.add(counting_episode(100, 5, success=False))
    with offline, online:
        sources = [
            Source(offline, 0.75, success_share=0.5),
            Source(online, 0.25, success_share=0.5),
        ]
        batch = Sampler(sources).sample(400)
        assert (batch.source == 0).sum() == 300
        drawn = np.array([number for number, _ in rows(batch)])
        assert (drawn == 100).sum() == 100  # it has no success: its failures fill in
        assert np.isin(drawn, [0, 10]).sum() == 150


def test_an_empty_source_leaves_its_share(tmp_path: Path) -> None:
    with (
        RingWriter.create(tmp_path / "a", TINY, 100) as full,
        RingWriter.create(tmp_path / "b", TINY, 100) as empty,
    ):
        sampler = Sampler([Source(full, 0.5), Source(empty, 0.5)])
        with pytest.raises(ExperienceError, match="no transition"):
            sampler.sample(4)
        full.add(counting_episode(1, 3))
        assert (sampler.sample(16).source == 0).all()
        empty.add(counting_episode(2, 3))  # seen at once
        assert (sampler.sample(16).source == 1).sum() == 8


@given(
    st.lists(st.floats(0, 1), min_size=1, max_size=5).filter(lambda shares: sum(shares) > 0.01),
    st.integers(0, 300),
    st.integers(0, 99),
)
def test_apportion_adds_up(shares: list[float], total: int, seed: int) -> None:
    counts = apportion(shares, total, np.random.default_rng(seed))
    assert sum(counts) == total
    for count, share in zip(counts, shares, strict=True):
        assert abs(count - total * share / sum(shares)) < 1 + 1e-9


def test_a_small_share_is_kept_on_average() -> None:
    random = np.random.default_rng(0)
    drawn = sum(apportion([0.99, 0.01], 32, random)[1] for _ in range(2000))
    assert drawn == pytest.approx(0.01 * 32 * 2000, rel=0.1)


def test_seed_reproduces(tmp_path: Path) -> None:
    with RingWriter.create(tmp_path / "ring", TINY, 100) as ring:
        for number in range(10):
            ring.add(counting_episode(number, 6))
        first, second, other = (rows(Sampler([Source(ring)], seed=s).sample(64)) for s in (1, 1, 2))
    assert first == second != other


def test_frames_are_stored_once(tmp_path: Path) -> None:
    with RingWriter.create(tmp_path / "ring", TINY, 2000) as ring:
        while not ring.evicted:
            ring.add(counting_episode(0, 99))
    frames = (tmp_path / "ring/frames.front").stat().st_size
    assert frames == 2000 * 2 * 2 * 3


def test_reopens_as_it_was(tmp_path: Path) -> None:
    with RingWriter.create(tmp_path / "ring", TINY, 40) as ring:
        for number in range(7):
            ring.add(counting_episode(number, 9))
    with RingWriter(tmp_path / "ring") as ring:
        assert len(ring) == 40
        assert ring.add(counting_episode(7, 9)) == 9
        drawn = {number for number, _ in rows(Sampler([Source(ring)]).sample(500))}
    assert drawn == {4, 5, 6, 7}


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux maps ahead")
def test_warming_changes_nothing(tmp_path: Path) -> None:
    """Nor does it make up the part of the files that was never written."""
    with RingWriter.create(tmp_path / "ring", TINY, 1_000_000) as ring:
        assert ring.warm()
        for number in range(20):
            ring.add(counting_episode(number, 50))
        before = rows(Sampler([Source(ring)]).sample(64))
        assert ring.warm()
        assert rows(Sampler([Source(ring)]).sample(64)) == before
    blocks = (tmp_path / "ring/frames.front").stat().st_blocks
    assert blocks * 512 < 100_000  # 12 MB if the holes had been filled


def test_refusals(tmp_path: Path) -> None:
    with RingWriter.create(tmp_path / "ring", TINY, 10) as ring:
        with pytest.raises(BusyError, match=f"another writer .process {os.getpid()}"):
            RingWriter(tmp_path / "ring")
        with pytest.raises(BusyError, match="found a replay there"):
            RingWriter.create(tmp_path / "ring", TINY, 10)
        with pytest.raises(ExperienceError, match="episode of 11 frames, wanted at most 10"):
            ring.add(counting_episode(1, 10))
    with pytest.raises(ForeignError, match=r"no meta\.json"):
        Ring(tmp_path)
    with (tmp_path / "ring/rows").open("ab") as file:
        file.write(b"x")
    with pytest.raises(DamagedError, match="rows: found 131 bytes, wanted 130"):
        Ring(tmp_path / "ring")


def test_what_is_not_alike_is_refused(tmp_path: Path) -> None:
    episode = counting_episode(1, 3)
    faster = replace(
        episode, info=replace(episode.info, interface=replace(TINY, control_period_s=0.02))
    )
    images = episode.images["front"]
    faults = {
        r"observation\.proprio\.0\.name: found 'x', wanted gripper_aperture": (INTERFACE, episode),
        r"control_period_s: found 0\.02, wanted 0\.2": (TINY, faster),
        r"images\.front: found float32 \(4, 2, 2, 3\), wanted uint8": (
            TINY,
            replace(episode, images={"front": images.astype(np.float32)}),
        ),
        r"images\.front: found uint8 \(3, 2, 2, 3\), wanted uint8 \(4, 2, 2, 3\)": (
            TINY,
            replace(episode, images={"front": images[1:]}),
        ),
        r"images\.front: found nothing": (TINY, replace(episode, images={})),
    }
    for number, (message, (interface, wrong)) in enumerate(faults.items()):
        with (
            RingWriter.create(tmp_path / str(number), interface, 10) as ring,
            pytest.raises(ForeignError, match=message),
        ):
            ring.add(wrong)
        assert Ring(tmp_path / str(number)).state == (0, 0, 0)


def test_a_camera_more_is_left_out(tmp_path: Path) -> None:
    episode = counting_episode(1, 3)
    more = replace(episode, images={**episode.images, "wrist": episode.images["front"]})
    with RingWriter.create(tmp_path / "ring", TINY, 10) as ring:
        assert ring.add(more) == 3


def drawn(ring: Ring, size: int) -> Batch:
    return Sampler([Source(ring)]).sample(size)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda ring: Draw(n_step=0), "n_step: found 0, wanted 1 or more"),
        (lambda ring: Draw(stack=0), "stack: found 0"),
        (lambda ring: Source(ring, -1.0), "share: found -1.0"),
        (lambda ring: Source(ring, math.nan), "share: found nan"),
        (lambda ring: Source(ring, success_share=1.5), "success_share: found 1.5, wanted 0 to 1"),
        (lambda ring: Sampler([Source(ring, 0.0)]), "shares: found .0.0., wanted some above 0"),
        (
            lambda ring: Sampler([Source(ring)]).sample(4, Sampler([Source(ring)]).allocate(8)),
            "8 rows",
        ),
    ],
)
def test_what_cannot_be_drawn(tmp_path: Path, make: Callable[[Ring], object], message: str) -> None:
    with RingWriter.create(tmp_path / "ring", TINY, 10) as ring:
        ring.add(counting_episode(1, 3))
        with pytest.raises(ExperienceError, match=message):
            make(ring)


def test_the_window_is_the_contracts(tmp_path: Path) -> None:
    far = replace(TINY, observation=replace(TINY.observation, action_window=4))
    with RingWriter.create(tmp_path / "ring", far, 10) as ring:
        ring.add(counting_episode(1, 3))
        assert Sampler([Source(ring)]).sample(2).past_actions.shape == (2, 4, 1)
        assert Sampler([Source(ring)], Draw(window=0)).sample(2).past_actions.shape == (2, 0, 1)


def test_a_power_cut_is_noticed(tmp_path: Path) -> None:
    """A machine that went down may have lost cached pages; a killed process has not."""
    ring = RingWriter.create(tmp_path / "ring", TINY, 10)
    lock = tmp_path / "ring/lock"
    left = lock.read_text()
    ring.close()
    assert lock.read_text() == ""
    lock.write_text(left)  # as after SIGKILL on this boot
    RingWriter(tmp_path / "ring").close()
    lock.write_text("123 another-boot")
    for open_ in (Ring, RingWriter):
        with pytest.raises(DamagedError, match="went down while process 123"):
            open_(tmp_path / "ring")


def test_prefetched_batches_are_reused(tmp_path: Path) -> None:
    with RingWriter.create(tmp_path / "ring", TINY, 100) as ring:
        ring.add(counting_episode(1, 20))
        with Prefetcher(Sampler([Source(ring)]), size=8, depth=2) as batches:
            drawn = [next(batches) for _ in range(30)]
    assert len({id(batch) for batch in drawn}) == 3
    assert len({batch.action.data_ptr() for batch in drawn}) == 3


def test_prefetcher_passes_the_error_on(tmp_path: Path) -> None:
    with RingWriter.create(tmp_path / "ring", TINY, 100) as ring:
        batches = Prefetcher(Sampler([Source(ring)]), size=8)
        with pytest.raises(ExperienceError, match="no transition"):
            next(batches)
        with pytest.raises(StopIteration):
            next(batches)


def test_batch_moves_between_devices(tmp_path: Path) -> None:
    with RingWriter.create(tmp_path / "ring", TINY, 100) as ring:
        ring.add(counting_episode(1, 20))
        batch = Sampler([Source(ring)]).sample(8)
    moved = batch.to("meta")
    assert moved.images["front"].device == moved.reward.device == torch.device("meta")


READER = """
import sys
from pathlib import Path
from policy.experience.replay.ring import Ring
from policy.experience.replay.ringwriter import RingWriter
from policy.experience.replay.sampler import Draw, Sampler, Source

ring = Ring(Path(sys.argv[1]))
sampler = Sampler([Source(ring)], Draw(stack=3, n_step=3), seed=int(sys.argv[2]))
batch = sampler.allocate(64)
print("ready", flush=True)
checked = 0
while ring.added < int(sys.argv[3]):
    sampler.sample(64, batch)
    now, later = batch.images["front"], batch.next_images["front"]
    number = now[:, 0, 1, 1, 2]
    assert (now[:, :, 1, 1, 2] == number[:, None]).all(), "a stack of two episodes"
    assert (later[:, :, 1, 1, 2] == number[:, None]).all(), "the next observation of another"
    told = (batch.action[:, 0] - 1) % 100
    assert (told == now[:, -1, 0, 0, 0]).all(), "an action of another step"
    assert (batch.proprio[:, 0] == now[:, -1, 0, 0, 0]).all(), "proprio of another step"
    checked += 1
print(checked, flush=True)
"""


def test_one_writer_and_three_readers(tmp_path: Path) -> None:
    """A ring so small that the writer overwrites under the readers' hands all the time."""
    path, total = tmp_path / "ring", 3000
    with RingWriter.create(path, TINY, 64) as ring:
        for number in range(10):
            ring.add(counting_episode(number, 10))
        command = [sys.executable, "-c", READER, str(path)]
        readers = [
            subprocess.Popen([*command, str(seed), str(total)], stdout=subprocess.PIPE, text=True)
            for seed in range(3)
        ]
        for reader in readers:
            assert reader.stdout is not None
            assert reader.stdout.readline() == "ready\n"
        for number in range(10, total):
            ring.add(counting_episode(number, 10))
        counts = [reader.communicate(timeout=60)[0] for reader in readers]
    assert [reader.returncode for reader in readers] == [0, 0, 0]
    assert all(int(count) > 0 for count in counts)


def test_what_was_not_done_in_time_may_count_as_over(tmp_path: Path) -> None:
    """An episode cut short goes on in mind, or is worth nothing beyond, as is asked."""
    with RingWriter.create(tmp_path, TINY, 50) as ring:
        ring.add(counting_episode(1, 4, terminated=False))
        found = {}
        for ends in (False, True):
            draw = Draw(n_step=4, discount=0.5, truncation_ends=ends)
            found[ends] = set(Sampler([Source(ring)], draw).sample(64).discount.tolist())
    assert found == {False: {0.5**4, 0.5**3, 0.5**2, 0.5}, True: {0.0}}
