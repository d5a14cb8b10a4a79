"""The twin's frames: stamps, latency, what goes wrong with them; and real time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest

from sim.camera import Drawer
from sim.config import ObjectConfig, SceneConfig
from sim.env import BinGrasp
from sim.presets import PRESETS, episode
from sim.twin import ClawState, Closed, Faults, FeedConfig, Frame, Twin, TwinConfig
from sim.twin.topic import Subscription

FEW = ObjectConfig(count=(2, 2))
SCENE = SceneConfig(timestep=0.002, shadows=0, objects=2)
PATIENCE = 30.0  # s; a busy machine's


def lockstep(**changes: object) -> Twin:
    settings: dict[str, object] = {
        "mode": "lockstep", "objects": FEW, "scene": SCENE, "feed": FeedConfig(drop=0.0),
    }  # fmt: skip
    return Twin(config=TwinConfig(**(settings | changes)))  # type: ignore[arg-type]


def real_time(**changes: object) -> Twin:
    return lockstep(mode="real_time", **changes)


def picture(frame: Frame | None) -> npt.NDArray[np.uint8]:
    assert frame is not None
    assert frame.picture is not None
    return frame.picture


def record(twin: Twin, seconds: float, faults: Faults | None = None) -> list[Frame]:
    if faults is not None:
        twin.inject(faults)
    with twin.cameras["front"].subscribe(1000) as frames:
        twin.advance(seconds)
        return frames.drain()


def test_frames_are_the_same_bit_for_bit_whoever_follows_them() -> None:
    def last(follow: bool) -> Frame:
        with lockstep(seed=5, feed=FeedConfig(exposures=3, jpeg=90)) as twin:
            twin.arm.twist((0.2, 0.1, 0), (0, 0, 1.0))
            with twin.cameras["front"].subscribe(1) if follow else threading.Lock():
                twin.advance(0.3)
            found = twin.cameras["front"].latest()
            assert found is not None
            return found

    one, other, alone = last(True), last(True), last(False)
    for frame in (other, alone):
        assert picture(frame).tobytes() == picture(one).tobytes()
        assert frame.encoded == one.encoded
        assert (frame.sequence, frame.captured_ns, frame.arrived_ns) == (
            one.sequence, one.captured_ns, one.arrived_ns,
        )  # fmt: skip


def test_frames_are_the_cameras_own() -> None:
    with lockstep() as twin:
        frame = record(twin, 0.1)[-1]
    assert frame.camera == "front"
    assert picture(frame).shape == (480, 640, 3)
    assert picture(frame).dtype == np.uint8
    assert not picture(frame).flags.writeable
    assert frame.depth is None
    assert frame.encoded is None


def test_stamps_and_latency() -> None:
    with lockstep() as twin:
        frames = record(twin, 3.0)
    captured = np.array([frame.captured_ns for frame in frames]) * 1e-9
    age = np.array([frame.arrived_ns - frame.captured_ns for frame in frames]) * 1e-9
    assert [frame.sequence for frame in frames] == list(range(len(frames)))
    assert 88 <= len(frames) <= 90
    assert np.diff(captured).mean() == pytest.approx(1 / 30, rel=0.005)
    assert np.diff(captured).std() > 0.0002
    assert age.mean() == pytest.approx(0.020, abs=0.003)
    assert 0.001 < age.std() < 0.006
    assert (np.diff([frame.arrived_ns for frame in frames]) >= 0).all()


def test_a_frame_is_not_there_before_it_arrived() -> None:
    with lockstep() as twin:
        front = twin.cameras["front"]
        for _ in range(100):
            twin.advance(0.01)
            frame = front.latest()
            if frame is not None:
                assert frame.captured_ns < frame.arrived_ns <= twin.time_ns


def test_what_moves_is_blurred() -> None:
    pictures = {}
    for exposures in (1, 8):
        with lockstep(feed=FeedConfig(exposures=exposures, drop=0.0)) as twin:
            for _ in range(10):
                twin.arm.twist((0, 0.4, 0), (0, 0, 0))
                twin.advance(0.05)
            pictures[exposures] = picture(twin.cameras["front"].latest()).astype(float)
    edges = {n: np.abs(np.diff(p[:120], axis=1)).max(axis=2).mean() for n, p in pictures.items()}
    assert edges[8] < edges[1]


def test_lost_frames_leave_gaps() -> None:
    with lockstep() as twin:
        frames = record(twin, 4.0, Faults(drop=0.3))
    numbers = [frame.sequence for frame in frames]
    assert numbers == sorted(set(numbers))
    assert 0.5 < len(numbers) / (numbers[-1] + 1) < 0.9


def test_a_frozen_camera_hands_out_its_last_frame() -> None:
    with lockstep() as twin:
        before = record(twin, 0.3)[-1]
        frames = record(twin, 0.5, Faults(freeze=("front",)))
        last = frames[-1]
        assert len(frames) > 10
        assert (last.sequence, last.captured_ns) in {
            (frame.sequence, frame.captured_ns) for frame in (before, *frames[:2])
        }
        assert len({frame.sequence for frame in frames[3:]}) == 1
        assert frames[-1].arrived_ns > frames[-2].arrived_ns
        after = record(twin, 0.5, Faults())
    assert after[-1].sequence > last.sequence + 8


def test_repeated_frames_have_new_stamps_and_old_pixels() -> None:
    with lockstep() as twin:
        record(twin, 0.2)
        frames = record(twin, 1.0, Faults(repeat=0.5))
    same = [picture(a).tobytes() == picture(b).tobytes() for a, b in pairwise(frames)]
    assert 5 < sum(same) < len(same) - 5
    assert len({frame.captured_ns for frame in frames}) == len(frames)
    assert len({frame.sequence for frame in frames}) == len(frames)


def test_a_stalled_link_delivers_in_bursts() -> None:
    with lockstep() as twin:
        frames = record(twin, 2.0, Faults(burst_every=0.5, burst_hold=0.3))
    age = np.array([frame.arrived_ns - frame.captured_ns for frame in frames]) * 1e-9
    together = np.diff([frame.arrived_ns for frame in frames]) == 0
    assert age.max() > 0.2
    assert age.min() < 0.04
    assert together.sum() > 10


def test_a_disconnected_camera_is_silent_and_starts_anew() -> None:
    with lockstep() as twin:
        front = twin.cameras["front"]
        record(twin, 0.5)
        twin.inject(Faults(disconnect=("front",)))
        twin.advance(0.1)  # what was under way still comes
        assert not front.connected
        assert record(twin, 0.5) == []
        again = record(twin, 0.5, Faults())
        assert front.connected
    assert again[0].sequence == 0
    assert len(again) > 10


def test_slow_readers_lose_the_oldest() -> None:
    with lockstep() as twin, twin.cameras["front"].subscribe(2) as frames:
        twin.advance(0.5)
        kept = frames.drain()
        assert frames.missed > 8
        assert [frame.sequence for frame in kept] == [
            kept[-1].sequence - 1, kept[-1].sequence,
        ]  # fmt: skip


# Rooms --------------------------------------------------------------------------------------------


def test_presets_look_unlike_the_nominal_cell_and_each_other() -> None:
    pictures = {}
    for preset in (None, *PRESETS):
        with lockstep(preset=preset, seed=1) as twin:
            pictures[preset] = picture(record(twin, 0.1)[-1]).astype(float)
    names = list(pictures)
    for k, one in enumerate(names):
        for other in names[k + 1 :]:
            assert np.abs(pictures[one] - pictures[other]).mean() > 20, (one, other)


@pytest.mark.parametrize("preset", PRESETS)
def test_an_environment_takes_place_in_a_preset(preset: str) -> None:
    env = BinGrasp(size=64)
    try:
        parameters = episode(preset, env.cell, 3, env.objects)
        assert parameters == episode(preset, env.cell, 3, env.objects)
        seen, _ = env.reset(seed=0, options={"parameters": parameters})
        plain, _ = env.reset(seed=0)
        assert np.abs(seen["front"].astype(float) - plain["front"]).mean() > 15
    finally:
        env.close()


def test_the_presets_textures_are_not_in_the_pool() -> None:
    with lockstep() as twin:
        names = twin.truth().parameters.look.surfaces
        for preset in PRESETS:
            look = episode(preset, twin.cell, 0).look
            assert set(look.surfaces) == set(names)
            for surface in look.surfaces.values():
                assert isinstance(surface.texture, str) or surface.texture == -1


# Real time ----------------------------------------------------------------------------------------


def test_real_time_keeps_to_the_wall() -> None:
    with real_time() as twin, twin.arm.states.subscribe(1000) as states:
        first = states.get(PATIENCE)
        begin = time.monotonic_ns()
        state = first
        while state.stamp_ns - first.stamp_ns < 1.5e9:
            state = states.get(PATIENCE)
            # Never ahead of its schedule.
            assert twin.wall_ns(state.stamp_ns) <= time.monotonic_ns()
        wall = (time.monotonic_ns() - begin) * 1e-9
        health = twin.health()
    assert 1.4 < wall < 6.0
    if health.slipped_s == 0:
        assert 0.6 < health.factor < 1.3


def test_scaled_time_runs_faster() -> None:
    with real_time(factor=5.0, cameras=()) as twin, twin.arm.states.subscribe(1000) as states:
        begin, state = time.monotonic(), states.get(PATIENCE)
        while state.stamp_ns < 3e9:
            state = states.get(PATIENCE)
        assert 0.5 < time.monotonic() - begin < 3.0


def test_frames_come_by_themselves_and_the_context_is_given_back() -> None:
    came: list[Frame] = []
    enough = threading.Event()

    def listen(frame: Frame) -> None:
        came.append(frame)
        if len(came) >= 5:
            enough.set()

    for _ in range(2):  # the second needs what the first gave back
        came.clear()
        enough.clear()
        with real_time(seed=1) as twin:
            twin.cameras["front"].listen(listen)
            assert enough.wait(PATIENCE)
            assert twin.health().develop_ms > 0
        assert not [t for t in threading.enumerate() if t.name.startswith("twin")]
        assert Drawer._alive is None
        assert all(a.sequence < b.sequence for a, b in pairwise(came))
        assert all(frame.arrived_ns > frame.captured_ns for frame in came)


def exhaust(states: Subscription[ClawState]) -> None:
    while True:
        states.get(PATIENCE)


@pytest.mark.parametrize("side", ["camera", "arm"])
def test_a_failing_thread_is_everybodys_business(side: str) -> None:
    def fail(_: object) -> None:
        raise ZeroDivisionError("a listener's fault")

    twin = real_time()
    ends: list[Callable[[], object]] = [
        lambda: twin.arm.twist((0, 0, 0), (0, 0, 0)),
        lambda: twin.gripper.command(0.0),
        lambda: twin.cameras["front"].latest(),
        lambda: twin.reset(1),
    ]
    with twin.gripper.states.subscribe(1) as states:
        if side == "camera":
            twin.cameras["front"].listen(fail)
        else:
            twin.arm.states.listen(fail)
        with pytest.raises(Closed, match="a listener's fault") as caught:
            exhaust(states)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    for end in ends:
        with pytest.raises(Closed, match="a listener's fault"):
            end()
    twin.close()
    assert Drawer._alive is None


def test_a_failure_nobody_saw_is_raised_at_the_end() -> None:
    failed = threading.Event()

    def fail(_: object) -> None:
        failed.set()
        raise ZeroDivisionError("a listener's fault")

    def unattended() -> None:
        with real_time(cameras=()) as twin:
            twin.arm.states.listen(fail)
            assert failed.wait(PATIENCE)

    with pytest.raises(Closed, match="a listener's fault"):
        unattended()
