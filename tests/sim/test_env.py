"""The task: gymnasium's rules, seeds, delays, and success judged by physics."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

import sim  # noqa: F401 - registers the task
from policy.contract import ContractError, Invalid, decode, encode
from sim.bin import inside
from sim.config import RandomConfig
from sim.env import BinGrasp
from sim.objects import Part, Thing
from sim.parameters import Parameters, nominal
from sim.scripted import Expert, Scripted

CUBE = Thing("block", (Part("box", (0.02, 0.02, 0.02)),), 400, 0.9)


@pytest.fixture
def env() -> Iterator[BinGrasp]:
    env = BinGrasp(size=48)
    yield env
    env.close()


@pytest.fixture
def blind() -> BinGrasp:
    """Without pictures: the physics alone."""
    return BinGrasp(cameras=(), randomize=RandomConfig())


def rollout(env: BinGrasp, seed: int, steps: int = 8) -> list[Any]:
    random = np.random.default_rng(seed)
    seen: list[Any] = [env.reset(seed=seed)[0]]
    for _ in range(steps):
        action = random.uniform(env.action_space.low, env.action_space.high).astype(np.float32)  # type: ignore[attr-defined]
        action[-1] = 0
        observation, reward, *_ = env.step(action)
        seen += [observation, reward]
    return seen


def same(a: Any, b: Any) -> bool:
    if isinstance(a, dict):
        return all(np.array_equal(a[key], b[key]) for key in a)
    return bool(a == b)


def test_gymnasiums_own_check_passes() -> None:
    env = gymnasium.make("regrasp/BinGrasp-v0", size=48, randomize=RandomConfig())
    with warnings.catch_warnings():
        # Actions are in metres and radians, as the contract has them, not in [-1, 1].
        warnings.filterwarnings("ignore", message=".*recommend using a symmetric and normalized.*")
        check_env(env.unwrapped, skip_render_check=False)
    env.close()


def test_observations_fit_the_contract(env: BinGrasp) -> None:
    observation, _ = env.reset(seed=0)
    spec = env.interface.observation
    spec.check({"front": observation["front"]}, observation["proprio"])
    assert observation["actions"].shape == (spec.action_window, len(env.interface.action))
    action = env.interface.action.executed(env.action_space.sample())
    observation, *_ = env.step(action)
    np.testing.assert_array_equal(observation["actions"][-1], action)


def test_seeds_reproduce_bit_for_bit_whatever_came_before() -> None:
    env = BinGrasp(size=48, randomize=RandomConfig())
    first = rollout(env, 7)
    rollout(env, 8)
    again = rollout(env, 7)
    env.close()
    other = BinGrasp(size=48, randomize=RandomConfig())
    elsewhere = rollout(other, 7)
    other.close()
    for found in (again, elsewhere):
        assert all(same(a, b) for a, b in zip(first, found, strict=True))


def test_the_next_episode_does_not_depend_on_how_long_this_one_was(blind: BinGrasp) -> None:
    """Else two policies would not be judged on the same episodes."""
    seen = []
    for steps in (1, 3):
        blind.reset(seed=4)
        for _ in range(steps):
            blind.step(blind.action_space.sample())
        _, info = blind.reset()
        seen.append((encode(blind.parameters), info["object_positions"].tolist()))
    assert seen[0] == seen[1]


def test_recorded_parameters_play_again(blind: BinGrasp) -> None:
    blind.reset(seed=3)
    recorded = decode(Parameters, blind.recorded_parameters(), "log")
    assert recorded == blind.parameters
    other = BinGrasp(cameras=())
    other.reset(seed=3, options={"parameters": recorded})
    assert encode(other.parameters) == encode(blind.parameters)
    assert other.world.things == list(recorded.things)


def test_scale_is_a_curriculum(blind: BinGrasp) -> None:
    blind.reset(seed=1, options={"scale": 0.0})
    parameters = blind.parameters
    assert parameters is not None
    assert parameters == nominal(blind.cell, parameters.things)


def grasp_cube(env: BinGrasp, lift: bool, cube: Thing = CUBE) -> dict[str, Any]:
    """One cube in the middle; straight down, close, and maybe up."""
    env.reset(seed=0, options={"parameters": nominal(env.cell, (cube,))})
    env.world.put(0, np.array([0.5, 0.0, 0.026]), np.array([1.0, 0, 0, 0]))
    info: dict[str, Any] = {}

    def go(*action: float, times: int = 1) -> None:
        for _ in range(times):
            info.update(env.step(np.array(action, np.float32))[4])

    for _ in range(10):
        way = np.array([0.5, 0.0, 0.028]) - env.arm.place
        go(*way, -env.arm.yaw, 0, 0, 0)
    go(0, 0, 0, 0, 1, 0, 0, times=1)
    go(0, 0, 0, 0, 0, 0, 0, times=3)
    if lift:
        go(0, 0, 0.04, 0, 0, 0, 0, times=4)
    go(0, 0, 0, 0, 0, 0, 1)
    return info


def test_success_is_an_object_held_above_the_height() -> None:
    env = BinGrasp(cameras=())
    info = grasp_cube(env, lift=True)
    assert info["held"] == 0
    assert info["success"]


def test_an_object_gripped_on_the_floor_is_no_success() -> None:
    env = BinGrasp(cameras=())
    info = grasp_cube(env, lift=False)
    assert not info["success"]


def test_a_slippery_object_slides_out() -> None:
    """A grasp fails for a physical reason: friction is the thing's times the pads'."""
    env, steel = BinGrasp(cameras=()), replace(CUBE, density=7800)  # half a kilogram
    assert not grasp_cube(env, lift=True, cube=replace(steel, friction=0.04))["success"]
    assert grasp_cube(env, lift=True, cube=replace(steel, friction=0.6))["success"]


def test_what_is_thin_is_held_with_all_the_force() -> None:
    env = BinGrasp(cameras=())
    card = Thing("block", (Part("box", (0.02, 0.006, 0.02)),), 400, 0.9)
    assert grasp_cube(env, lift=True, cube=card)["success"]
    assert env.world.grip_force == pytest.approx(env.cell.gripper.force.value, rel=0.05)


def test_success_at_the_step_limit_ends_the_episode() -> None:
    """What is paid is over: nothing may be learnt beyond it."""
    env = BinGrasp(cameras=(), grasp={"max_steps": 18})
    env.reset(seed=0, options={"parameters": nominal(env.cell, (CUBE,))})
    env.world.put(0, np.array([0.5, 0.0, 0.026]), np.array([1.0, 0, 0, 0]))
    policy = Expert(env)
    policy.reset()
    done = False
    while not done:
        action = policy.act()
        action[-1] = 0.0
        _, reward, terminated, truncated, info = env.step(action)
        done = terminated or truncated
    assert info["steps"] == 18
    assert reward == 1.0
    assert (terminated, truncated) == (True, False)


def test_refuses_reset_options_by_name(blind: BinGrasp) -> None:
    with pytest.raises(Invalid, match=r"options: found 'skale'"):
        blind.reset(options={"skale": 1.0})
    with pytest.raises(ContractError, match="misfit"):
        blind.reset(options={"parameters": {"things": []}})
    crowd = nominal(blind.cell, (CUBE,) * 13)
    with pytest.raises(Invalid, match=r"options\.parameters\.things"):
        blind.reset(options={"parameters": crowd})


def test_delay_does_not_eat_displacements() -> None:
    env = BinGrasp(cameras=())
    for delay in (0.03, 0.13):
        env.reset(seed=0)
        before = env.arm.place[2]
        for _ in range(5):
            env.arm.displace(np.array([0, 0, -0.04]), 0.0, 0.2, delay)
            env.world.advance(0.2)
        assert env.arm.place[2] == pytest.approx(before - 0.2, abs=1e-3)


def test_reward_is_sparse_with_an_optional_penalty() -> None:
    env = BinGrasp(cameras=(), grasp={"step_penalty": 0.05, "max_steps": 3})
    env.reset(seed=0)
    idle = np.zeros(7, np.float32)
    ends = [env.step(idle)[1:4] for _ in range(3)]
    assert [reward for reward, _, _ in ends] == [-0.05] * 3
    assert [truncated for _, _, truncated in ends] == [False, False, True]
    env.reset(seed=0)
    stop = np.array([0, 0, 0, 0, 0, 0, 1], np.float32)
    *_, terminated, truncated, info = env.step(stop)
    assert (terminated, truncated) == (True, False)
    assert not info["success"]


def test_commands_take_their_time() -> None:
    """Nothing moves before the command's latency has passed, and the target is reached after."""
    env = BinGrasp(cameras=())
    env.reset(seed=0)
    before, _ = env.world.tcp
    env.arm.displace(np.array([0.0, 0.0, -0.04]), 0.0, 0.2, 0.1)
    env.world.advance(0.096)
    assert np.linalg.norm(env.world.tcp[0] - before) < 1e-4
    env.world.advance(0.404)
    assert env.world.tcp[0][2] == pytest.approx(before[2] - 0.04, abs=2e-3)


def test_the_arm_keeps_to_the_workspace(blind: BinGrasp) -> None:
    blind.reset(seed=0)
    corner = np.array([0.04, 0.04, -0.04, 0.35, 0, 0, 0], np.float32)
    for _ in range(15):
        blind.step(corner)
    high, low = blind.cell.workspace.high.value, blind.cell.workspace.low.value
    assert (blind.arm.place <= np.array(high) + 1e-9).all()
    assert blind.arm.place[2] == pytest.approx(low[2])
    assert blind.arm.yaw == pytest.approx(blind.cell.workspace.yaw.value[1])


def test_a_reset_leaves_every_object_in_the_bin_at_rest(blind: BinGrasp) -> None:
    for seed in range(20):
        blind.reset(seed=seed)
        positions, _ = blind.world.poses()
        assert inside(blind.cell.bin, positions).all()
        assert blind.world.object_speeds().max() < 0.05


def success_rate(env: BinGrasp, policy: Expert | Scripted, episodes: int) -> float:
    successes = 0
    for seed in range(episodes):
        env.reset(seed=seed)
        policy.reset()
        done = False
        while not done:
            *_, terminated, truncated, info = env.step(policy.act())
            done = terminated or truncated
        successes += info["success"]
    return successes / episodes


def test_the_near_expert_is_near(blind: BinGrasp) -> None:
    """Of 300: benchmarks/results/physics.json."""
    assert success_rate(blind, Expert(blind), 40) >= 0.9


def test_the_scripted_policy_succeeds_now_and_then(blind: BinGrasp) -> None:
    rate = success_rate(blind, Scripted(blind, np.random.default_rng(0)), 60)
    assert 0.05 <= rate <= 0.45


def test_physics_stay_sane(blind: BinGrasp) -> None:
    """A thousand random control steps; a hundred thousand in benchmarks/physics.py."""
    blind.action_space.seed(0)
    for seed in range(50):
        blind.reset(seed=seed)
        for _ in range(20):
            action = blind.action_space.sample()
            action[-1] = 0
            blind.step(action)
            data = blind.world.data
            assert data.contact.dist[: data.ncon].min(initial=0.0) > -0.02
            assert blind.world.object_speeds().max() < 10
        assert (blind.world.poses()[0][:, 2] > blind.cell.table.height.value).all()
        assert not any(warning.number for warning in blind.world.data.warning)


@pytest.mark.parametrize("yaw", [0.0, 0.8])
def test_a_wrist_camera_sees_things_where_its_view_says(yaw: float) -> None:
    """Metres ahead of the TCP along its yaw, to its left, and above it."""
    env = BinGrasp(size=96, cameras=("wrist",))
    env.reset(seed=0)
    assert env.parameters is not None
    place = np.array([0.5, 0.02, 0.2])
    env.arm.reset(place, yaw, env.parameters)
    tcp, turned = env.world.tcp
    [view] = env.deployment.views
    assert view.wrist
    c, s = np.cos(turned), np.sin(turned)
    ball = Thing("ball", (Part("sphere", (0.012, 0, 0)),), 500, 0.8)
    for ahead, left, above in ((0.0, 0.03, -0.05), (-0.05, 0.0, -0.1), (-0.1, -0.06, -0.15)):
        spot = tcp + np.array([c * ahead - s * left, s * ahead + c * left, above])
        env.world.place([ball], spot[None], np.array([[1.0, 0, 0, 0]]))
        env.world.model.geom_rgba[env.world.slots.geoms[0, 0]] = (1, 0, 0, 1)
        picture = env._look()["wrist"].astype(int)
        red = (picture[..., 0] > 60) & (picture[..., 1:] < 30).all(-1)
        found = np.argwhere(red).mean(0)[::-1]
        u, v, w = np.array(view.matrix) @ (ahead, left, above, 1.0)
        top, column, height, _ = env.eyes[0].crop
        wanted = (np.array([u, v]) / w - (column, top) + 0.5) * 96 / height - 0.5
        np.testing.assert_allclose(found, wanted, atol=0.6)
    env.close()
