"""The experiment: what each arm may know, and a small one from end to end."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from policy.statistics import Rate
from sim2real.experiment import main, table
from sim2real.plan import (
    AGAIN,
    ALONE,
    ARMS,
    BESIDE,
    COMES_ALONG,
    FEW,
    ONLINE,
    PAINTED,
    SHIPPED,
    ZERO,
    Plan,
)
from sim2real.presets import PRESETS

SMALL = PRESETS["small"]


def needed(made: Plan, name: str) -> set[str]:
    """A stage and all that it needs."""
    return {name}.union(*(needed(made, one) for one in made.stages[name].needs))


def test_zero_shot_no_policy_learns_from_the_room(tmp_path: Path) -> None:
    for arm in ARMS:
        made = Plan(tmp_path, SMALL, "cpu")
        counted = made.count(arm, ZERO, "kitchen", 0).stem
        policies = [one for one in needed(made, counted) if one.startswith("policy-")]
        assert len(policies) == 1 + arm.endswith(AGAIN)
        for policy in policies:
            assert not any(one.startswith("cell-kitchen") for one in made.stages[policy].needs)
        base = arm.removesuffix(AGAIN)
        translated = f"{base}-kitchen-0" in needed(made, counted)
        assert translated == (base in PAINTED or arm == "rcan")


def test_what_is_simulated_from_the_found_camera_is_learnt_from_there(tmp_path: Path) -> None:
    for arm, log in (
        ("found", "found"), ("cyclegan_found", "found"), ("random_found", "random_found"),
    ):  # fmt: skip
        made = Plan(tmp_path, SMALL, "cpu")
        policy = made.policy(arm, False, "kitchen", 0)
        collected = f"{log}-kitchen"
        assert {"looked-kitchen", "camera-kitchen", collected} <= needed(made, policy)
        camera = str(tmp_path / "camera-kitchen.yaml")
        assert f"+task.arguments.cell={camera}" in made.stages[policy].command
        command = made.stages[collected].command
        assert camera in command
        assert ("--no-randomize" in command) == (log == "found")


def test_again_a_policy_plays_where_it_learnt_and_both_logs_are_learnt_from(
    tmp_path: Path,
) -> None:
    made = Plan(tmp_path, SMALL, "cpu")
    policy = made.policy("rlcyclegan_found_again", False, "kitchen", 2)
    painter = "rlcyclegan_found-kitchen-2"
    assert made.stages[policy].needs == (
        f"found-kitchen-by-{painter}", f"again-kitchen-2-by-{painter}",
    )  # fmt: skip
    [player] = made.stages["again-kitchen-2"].needs
    assert player == "policy-found-kitchen-2"
    assert not any(word.startswith("data.shares") for word in made.stages[policy].command)
    assert f"+task.arguments.cell={tmp_path / 'camera-kitchen.yaml'}" in made.stages[policy].command


def test_with_a_few_real_episodes_half_of_each_batch_is_of_the_room(tmp_path: Path) -> None:
    for arm in ARMS:
        made = Plan(tmp_path, SMALL, "cpu")
        policy = made.policy(arm, True, "kitchen", 0)
        *_, real = made.stages[policy].needs
        assert real == ("cell-kitchen-by-rcan-kitchen-0" if arm == "rcan" else "cell-kitchen")
        shares = "[1,1,2]" if arm.endswith(AGAIN) else "[1,1]"
        assert f"data.shares={shares}" in made.stages[policy].command


def test_online_a_policy_goes_on_from_where_it_was_and_from_what_it_knew(tmp_path: Path) -> None:
    made = Plan(tmp_path, SMALL, "cpu")
    counted = made.stages[made.count("cyclegan", ONLINE, "kitchen", 0).stem]
    [online] = counted.needs
    assert str(tmp_path / online / "policy.onnx") in counted.command
    learnt = made.stages[online]
    assert learnt.needs == ("policy-cyclegan-kitchen-0", "sim-by-cyclegan-kitchen-0")
    assert learnt.command[learnt.command.index("--start") + 1] == str(tmp_path / learnt.needs[0])
    assert not made.able("rcan", ONLINE)


def test_the_policy_that_comes_along_is_counted_as_it_is_and_once_the_cell_has_played(
    tmp_path: Path,
) -> None:
    made = Plan(tmp_path, SMALL, "cpu")
    zero = made.stages[made.count(SHIPPED, ZERO, "kitchen", 0).stem]
    assert zero.needs == ()
    assert str(COMES_ALONG.with_suffix(".onnx")) in zero.command
    counted = made.stages[made.count(SHIPPED, ONLINE, "kitchen", 0).stem]
    for one in (zero, counted):
        assert "wrist_depth" in one.command[one.command.index("--arguments") + 1]
    [online] = counted.needs
    assert made.stages[online].needs == ()
    assert "--start" not in made.stages[online].command
    assert not made.able(SHIPPED, FEW)


def test_beside_its_own_grasps_from_the_found_place_it_need_not_wait(tmp_path: Path) -> None:
    made = Plan(tmp_path, SMALL, "cpu")
    counted = made.stages[made.count(BESIDE, ONLINE, "kitchen", 1).stem]
    [online] = counted.needs
    [grasps] = made.stages[online].needs
    assert made.stages[grasps].needs == ("camera-kitchen",)
    assert str(COMES_ALONG.with_suffix(".safetensors")) in made.stages[grasps].command
    assert str(tmp_path / "camera-kitchen.yaml") in made.stages[grasps].command[-1]
    learner = made.stages[online].command
    assert "first_update=500" in learner
    assert "--start" not in learner
    assert not made.able(BESIDE, ZERO)
    assert not made.able(BESIDE, FEW)


def test_what_arms_have_in_common_is_made_once(tmp_path: Path) -> None:
    made = Plan(tmp_path, SMALL, "cpu")
    for room in ("kitchen", "factory"):
        for arm in ("sim", "rcan"):
            made.count(arm, ZERO, room, 0)
    assert [name for name in made.stages if name.startswith("policy-")] == ["policy-sim-0"]
    assert set(made.stages) >= {"sim", "pairs", "cell-kitchen", "cell-factory", "rcan-kitchen-0"}


def test_the_table_has_a_row_an_arm() -> None:
    found = {
        ("kitchen", "sim", ZERO): Rate(1, 4),
        ("kitchen", "sim", FEW): Rate(2, 4),
        ("kitchen", ALONE, FEW): Rate(3, 4),
    }
    head, _, sim, alone = table(found).splitlines()
    assert head == "| learnt from | kitchen, zero-shot | kitchen, and a few real episodes |"
    assert sim.startswith("| the simulator as measured | 25.0% (")
    assert alone.startswith("| nothing of it | - | 75.0% (")


@pytest.mark.slow
def test_a_small_one_from_end_to_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny = replace(
        SMALL,
        transitions=300,
        cell_episodes=12,
        pairs=12,
        detector=3,
        translator=("updates=3", "batch=1", "networks.width=4", "networks.generator=unet"),
        policy=("offline_updates=3", "task.envs=2", "evaluation.envs=2"),
        online=2,
        episodes=8,
    )
    monkeypatch.setitem(PRESETS, "small", tiny)
    words = [str(tmp_path / "out"), "--rooms", "kitchen", "--arms", "retinagan", "rcan", ALONE]
    assert main(words) == 0
    shown = capsys.readouterr().out
    assert len(shown.splitlines()) == 2 + 3
    told = json.loads((tmp_path / "out/table.json").read_text())
    assert {one["tries"] for one in told["found"]} == {8}
    assert len(told["found"]) == 3 + 2 + 1
    assert main(words) == 0  # all is there
    assert capsys.readouterr().out == shown
