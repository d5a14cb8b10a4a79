"""The runtime against real graphs: sound ones, and each way to be unsound."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from cards import make_card
from factories import INTERFACE
from graphs import ACTOR, INPUTS, MOVES, SEARCH, actor_policy, look, search_policy, write_graph

from policy.contract import ContractError
from policy.feed import BadAction, FloatArray
from policy.runtime import OnnxPolicy

SPEC = INTERFACE.action


def fields(error: ContractError) -> set[str]:
    return {problem.field for problem in error.problems}


def whole(rows: int = 1) -> FloatArray:
    return np.repeat(np.array([[SPEC.low, SPEC.high]]), rows, 0)


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> OnnxPolicy:
    return OnnxPolicy(search_policy(tmp_path_factory.mktemp("model") / "grasp.onnx"))


def test_a_seed_reproduces_an_action_in_any_batch(policy: OnnxPolicy) -> None:
    seeds = [3, 4, 3]
    looks = [look(10), look(200), look(10)]
    batch = {
        name: np.concatenate([one[name] for one in looks]) for name in INPUTS if name in look()
    }
    many = policy.act(batch, seeds=seeds)
    assert many.action.shape == (3, 3)
    assert many.q[1] > many.q[0]
    np.testing.assert_array_equal(many.action[0], many.action[2])
    for row, (one, seed) in enumerate(zip(looks, seeds, strict=True)):
        alone = policy.act(one, seeds=[seed])
        np.testing.assert_allclose(alone.action[0], many.action[row], atol=1e-6)
        assert alone.version == policy.version
    fresh = {policy.act(look()).q[0] for _ in range(4)}
    assert len(fresh) == 4  # without a seed, the noise is new each time


def test_given_noise_is_what_the_graph_gets(policy: OnnxPolicy) -> None:
    noise = np.full((1, 4, 3), 0.5, np.float32)
    q = policy.act(look(), noise=noise).q[0]
    assert q == pytest.approx(1 / (1 + np.exp(-0.5)))


def test_a_search_keeps_to_the_limits_of_the_step(policy: OnnxPolicy) -> None:
    limits = whole()
    limits[0, :, 0] = (0.01, 0.02)
    limits[0, :, 2] = 0.0  # the gripper may not close now
    action = policy.act(look(255), limits).action[0]
    assert 0.01 <= action[0] <= 0.02
    assert action[2] == 0.0


def test_an_actor_is_brought_within_the_limits_of_the_step(tmp_path: Path) -> None:
    policy = OnnxPolicy(actor_policy(tmp_path / "actor.onnx"))
    np.testing.assert_allclose(policy.act(look()).action[0], (0.02, -0.1, 1.0))
    limits = whole()
    limits[0, 1, 0] = 0.01
    assert policy.act(look(), limits).action[0, 0] == np.float32(0.01)


def test_the_version_is_of_the_content(policy: OnnxPolicy, tmp_path: Path) -> None:
    same = OnnxPolicy(search_policy(tmp_path / "copy.onnx"))
    other = OnnxPolicy(search_policy(tmp_path / "other.onnx", reach=0.5))
    assert same.version == policy.version != other.version
    assert policy.provider == "CPUExecutionProvider"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"front": np.zeros((1, 12, 16, 3), np.float32)}, "front"),
        ({"front": np.zeros((1, 12, 17, 3), np.uint8)}, "front"),
        ({"wrist": np.zeros((2, 8, 8, 3), np.uint8)}, "wrist"),
        ({"proprio": np.array([[0.0, np.nan]], np.float32)}, "proprio.tcp_height"),
        ({"proprio": np.array([[0.17, 0.0]], np.float32)}, "proprio.gripper_aperture"),
        ({"proprio": np.array([[0.0, -np.inf]], np.float32)}, "proprio.tcp_height"),
        ({"past_actions": np.full((1, 2, 3), 2.1, np.float32)}, "past_actions.gripper_close"),
        ({"past_actions": np.zeros((1, 3, 3), np.float32)}, "past_actions"),
        ({"palm": np.zeros((1, 8, 8, 3), np.uint8)}, "observation"),
    ],
)
def test_an_observation_that_does_not_fit_is_refused(
    policy: OnnxPolicy, change: dict[str, FloatArray], field: str
) -> None:
    with pytest.raises(ContractError) as caught:
        policy.act({**look(), **change})
    assert field in fields(caught.value)
    assert not isinstance(caught.value, BadAction)  # the policy is not to blame


def test_a_sensor_may_leave_its_range_a_little(policy: OnnxPolicy) -> None:
    for proprio in ([0.15, -0.2], [-0.07, 0.5]):  # of [0, 0.08] and [0, 0.3]
        policy.act(look(proprio=np.array(proprio, np.float32)))


def test_limits_that_make_no_sense_are_refused(policy: OnnxPolicy) -> None:
    for entry, values in (("dx", (0.02, 0.01)), ("dyaw", (-1.0, 0.0)), ("dx", (np.nan, 0.0))):
        limits = whole()
        limits[0, :, SPEC.names.index(entry)] = values
        with pytest.raises(ContractError) as caught:
            policy.act(look(), limits)
        assert fields(caught.value) == {f"limits.{entry}"}
    with pytest.raises(ContractError, match="limits: found 'float32"):
        policy.act(look(), whole(2))
    with pytest.raises(ContractError, match="seeds: found 2, wanted 1"):
        policy.act(look(), seeds=[1, 2])


def test_an_action_outside_its_limits_is_refused_by_name(tmp_path: Path) -> None:
    policy = OnnxPolicy(search_policy(tmp_path / "far.onnx", reach=1.5), warm_up=False)
    with pytest.raises(BadAction) as caught:
        policy.act(look(255))
    assert fields(caught.value) == {"action.dx", "action.dyaw", "action.gripper_close"}


def test_nan_is_refused_by_name(tmp_path: Path) -> None:
    policy = OnnxPolicy(search_policy(tmp_path / "nan.onnx", poison=100.0))
    policy.act(look(99))
    with pytest.raises(BadAction, match="q: found"):
        policy.act(look(101))
    with pytest.raises(BadAction, match=r"action\.dx: found nan"):
        OnnxPolicy(search_policy(tmp_path / "broken.onnx", factor=float("nan")))


@pytest.mark.parametrize(
    ("inputs", "field"),
    [
        ({"front": "float[B,12,16,3]"}, "inputs.front"),
        ({"front": "uint8[B,12,17,3]"}, "inputs.front"),
        ({"front": "uint8[1,12,16,3]"}, "inputs.front"),
        ({"proprio": "float[B,3]"}, "inputs.proprio"),
        ({"noise": "float[B,N,3]"}, "inputs.noise"),
        ({"limits": "float[B,3,3]"}, "inputs.limits"),
        ({"palm": "uint8[B,8,8,3]"}, "inputs.palm"),
    ],
)
def test_a_graph_unlike_its_card_is_refused(
    inputs: dict[str, str], field: str, tmp_path: Path
) -> None:
    declared = ", ".join(f"{kind} {name}" for name, kind in {**INPUTS, **inputs}.items())
    text = SEARCH.format(inputs=declared, reach=1.0, poison=1e9, factor=1.0)
    with pytest.raises(ContractError) as caught:
        OnnxPolicy(write_graph(tmp_path / "odd.onnx", text))
    assert fields(caught.value) == {field}


def test_missing_names_are_all_told(tmp_path: Path) -> None:
    text = ACTOR.format(inputs="uint8[B,12,16,3] front, float[B,2] proprio", moved=MOVES["still"])
    text = text.replace(" q)", " value)").replace("q = ", "value = ")
    with pytest.raises(ContractError) as caught:
        OnnxPolicy(write_graph(tmp_path / "few.onnx", text))
    assert fields(caught.value) == {"inputs.wrist", "inputs.past_actions", "outputs.q"}


def test_a_stack_of_frames_is_part_of_the_fit(tmp_path: Path) -> None:
    with pytest.raises(ContractError) as caught:
        OnnxPolicy(search_policy(tmp_path / "stack.onnx", card=make_card(stack=3)))
    assert fields(caught.value) == {"inputs.front", "inputs.wrist"}
    assert "uint8 (any, 3, 12, 16, 3)" in str(caught.value)


def test_names_that_are_no_text(tmp_path: Path) -> None:
    path = search_policy(tmp_path / "garbled.onnx")
    path.write_bytes(path.read_bytes().replace(b"noise", b"\xffoise"))
    with pytest.raises(ContractError, match=r"metadata: found .*utf-8"):
        OnnxPolicy(path)


@pytest.mark.parametrize("name", ["", "missing.onnx", "grasp.onnx/part", "a\0b"])
def test_files_that_cannot_be_read(name: str, tmp_path: Path) -> None:
    search_policy(tmp_path / "grasp.onnx")
    with pytest.raises(ContractError, match="file: found"):
        OnnxPolicy(tmp_path / name)


def test_files_that_are_no_policy(tmp_path: Path) -> None:
    path = search_policy(tmp_path / "cut.onnx")
    content = path.read_bytes()
    for size in (0, 1, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:size])
        with pytest.raises(ContractError, match=f"file: found '{size} bytes'|metadata|no graph"):
            OnnxPolicy(path)
    with pytest.raises(ContractError, match="providers: found"):
        OnnxPolicy(path, providers=["AbacusExecutionProvider"])
