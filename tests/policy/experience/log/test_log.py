"""The episode log: what is written is read back, by us and by others' tools."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from factories import INTERFACE, make_info, make_observation, write_episode
from mcap.reader import make_reader
from mcap_ros2.decoder import DecoderFactory
from rosbags.highlevel import AnyReader
from rosbags.typesys import Stores, get_typestore

from policy.contract import ContractError, Invalid
from policy.experience.episode import Driver, Observation, Verdict
from policy.experience.errors import BusyError, ExperienceError
from policy.experience.log.reader import read_episode
from policy.experience.log.writer import EpisodeWriter


def test_round_trip(tmp_path: Path) -> None:
    path, observations, actions = write_episode(tmp_path, steps=5)
    episode = read_episode(path)
    assert len(episode) == 5
    assert episode.info.interface == INTERFACE
    assert episode.terminated
    assert not episode.truncated
    assert not episode.recovered
    for k, observation in enumerate(observations):
        for camera, frame in observation.images.items():
            np.testing.assert_array_equal(episode.images[camera][k], frame)
        np.testing.assert_array_equal(episode.proprio[k], observation.proprio)
        assert episode.capture_ns[k] == observation.stamp_ns
    for k, action in enumerate(actions, start=1):
        np.testing.assert_array_equal(episode.executed[k], action.executed)
        assert action.policy is not None
        np.testing.assert_array_equal(episode.policy[k], action.policy)
        assert np.isnan(episode.human[k]).all() == (action.human is None)
        assert episode.driver[k] == action.driver
        assert episode.q[k] == np.float32(action.q)
        assert episode.reward[k] == action.reward
        assert episode.execution_ns[k] == action.stamp_ns
        assert episode.policy_version[k] == action.policy_version
    assert episode.driver[0] == Driver.NOBODY
    assert (episode.executed[0] == 0).all()


def test_truncation_is_not_termination(tmp_path: Path) -> None:
    episode = read_episode(write_episode(tmp_path, terminated=False)[0])
    assert episode.truncated
    assert not episode.terminated


def test_others_read_it(tmp_path: Path) -> None:
    """Two decoders that share no code with ours: mcap-ros2-support and rosbags' bag reader."""
    path, observations, actions = write_episode(tmp_path, steps=3)
    with path.open("rb") as file:
        decoded = list(
            make_reader(file, decoder_factories=[DecoderFactory()]).iter_decoded_messages()
        )
    topics = [channel.topic for _, channel, _, _ in decoded]
    assert topics.count("/episode/step") == topics.count("/front/image_raw") == 4
    steps = [message for *_, message in decoded if hasattr(message, "executed_action")]
    assert [s.index for s in steps] == [0, 1, 2, 3]
    np.testing.assert_allclose(steps[1].executed_action, actions[0].executed)

    store = get_typestore(Stores.ROS2_JAZZY)
    with AnyReader([path], default_typestore=store) as bag:
        images: list[Any] = [
            bag.deserialize(raw, connection.msgtype)
            for connection, _, raw in bag.messages()
            if connection.topic == "/front/image_raw"
        ]
    assert images[0].encoding == "rgb8"
    pixels = images[2].data.reshape(images[2].height, images[2].width, 3)
    np.testing.assert_array_equal(pixels, observations[2].images["front"])


def test_wrong_observation_is_named(tmp_path: Path) -> None:
    frames = {i.name: np.zeros(i.shape, np.uint8) for i in INTERFACE.observation.images}
    small = {**frames, "front": np.zeros((6, 8, 3), np.uint8)}
    proprio = np.zeros(2, np.float32)
    with EpisodeWriter(tmp_path, make_info()) as writer:
        with pytest.raises(Invalid, match=r"images\.front.*\(6, 8, 3\).*\(12, 16, 3\)"):
            writer.reset(Observation(small, proprio, 0))
        writer.reset(Observation(frames, proprio, 0))


def test_order_of_calls(tmp_path: Path) -> None:
    _, observations, actions = write_episode(tmp_path)
    info = make_info()
    with EpisodeWriter(tmp_path, info) as writer:
        with pytest.raises(ExperienceError, match="step before reset"):
            writer.step(actions[0], observations[0])
        writer.reset(observations[0])
        with pytest.raises(ExperienceError, match="reset after 1 steps"):
            writer.reset(observations[0])
        writer.step(actions[-1], observations[1])
        with pytest.raises(ExperienceError, match="after the episode's end"):
            writer.step(actions[0], observations[2])
    with pytest.raises(ExperienceError, match="ended"):
        writer.verdict(Verdict("image_subtraction", True))
    with pytest.raises(BusyError, match="exists already"):
        EpisodeWriter(tmp_path, info)


def test_refused_before_there_is_a_file(tmp_path: Path) -> None:
    """What could not be read back is not begun."""
    unbounded = replace(INTERFACE.observation.proprio[0], high=math.inf)
    observation = replace(INTERFACE.observation, proprio=(unbounded,))
    with pytest.raises(ContractError, match=r"observation\.proprio\.0\.high"):
        EpisodeWriter(tmp_path, make_info(interface=replace(INTERFACE, observation=observation)))
    with pytest.raises(TypeError, match="parameters: found object, wanted what JSON can hold"):
        EpisodeWriter(tmp_path, make_info(parameters={"light": object()}))
    assert list(tmp_path.iterdir()) == []


def test_randomised_parameters_may_be_numpys(tmp_path: Path) -> None:
    sampled = {"light": np.float32(0.5), "colour": np.arange(3), "count": np.int64(2)}
    path, *_ = write_episode(tmp_path, parameters=sampled)
    told = {"light": 0.5, "colour": [0, 1, 2], "count": 2}
    assert read_episode(path).info.parameters == told


def test_left_before_reset_leaves_nothing(tmp_path: Path) -> None:
    with EpisodeWriter(tmp_path, make_info()) as writer:
        assert writer.part.exists()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("reward", [math.nan, math.inf, 1e39])
def test_a_reward_is_a_number(tmp_path: Path, reward: float) -> None:
    _, observations, actions = write_episode(tmp_path)
    with EpisodeWriter(tmp_path, make_info()) as writer:
        writer.reset(observations[0])
        with pytest.raises(ExperienceError, match=r"reward: found .* wanted a finite float32"):
            writer.step(replace(actions[0], reward=reward), observations[1])


def test_one_axis_of_time(tmp_path: Path) -> None:
    """Whatever clock the observations follow, a player sees the episode and nothing but it."""
    _, observations, _ = write_episode(tmp_path)  # stamped near 1970
    with EpisodeWriter(tmp_path, make_info()) as writer:
        writer.reset(observations[0])
        writer.verdict(Verdict("image_subtraction", True))  # stamped now
    with writer.path.open("rb") as file:
        times = [message.log_time for *_, message in make_reader(file).iter_messages()]
    assert set(times) == {observations[0].stamp_ns}


def test_a_crash_leaves_the_name_taken(tmp_path: Path) -> None:
    writer = EpisodeWriter(tmp_path, make_info(episode_id="again"))
    writer.reset(make_observation(np.random.default_rng(0)))
    writer.abandon()
    with pytest.raises(BusyError, match="repair what a crash left"):
        EpisodeWriter(tmp_path, make_info(episode_id="again"))


def test_durable_is_counted_as_promised(tmp_path: Path) -> None:
    _, observations, actions = write_episode(tmp_path, steps=2)
    for sync, expected in (("step", 2), ("episode", 0)):
        info = make_info()
        with EpisodeWriter(tmp_path, info, sync=sync) as writer:  # type: ignore[arg-type]
            writer.reset(observations[0])
            assert writer.step(actions[0], observations[1]) == expected


@pytest.mark.parametrize("compression", ["zstd", "lz4", "none"])
def test_compression(tmp_path: Path, compression: str) -> None:
    _, observations, _ = write_episode(tmp_path)
    info = make_info()
    with EpisodeWriter(tmp_path, info, compression=compression) as writer:  # type: ignore[arg-type]
        writer.reset(observations[0])
    frames = read_episode(writer.path).images["front"]
    np.testing.assert_array_equal(frames[0], observations[0].images["front"])


def test_verdicts_travel(tmp_path: Path) -> None:
    _, observations, _ = write_episode(tmp_path)
    with EpisodeWriter(tmp_path, make_info()) as writer:
        writer.reset(observations[0])
        writer.verdict(
            Verdict("image_subtraction", False, 0.7, gate="g1", reason="3 px", stamp_ns=1)
        )
        writer.verdict(Verdict("person", True, stamp_ns=2))
        writer.verdict(Verdict("classifier", False, 0.9, stamp_ns=3))
    episode = read_episode(writer.path)
    assert [v.detector for v in episode.verdicts] == ["image_subtraction", "person", "classifier"]
    assert episode.verdicts[0].confidence == pytest.approx(0.7)
    assert episode.success is True  # a person outranks a later detector
