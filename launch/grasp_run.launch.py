"""The cell at work: it grasps, judges itself, drops, and writes it all down. It does not learn."""

import time
from pathlib import Path

from launch import LaunchContext, LaunchDescription, LaunchDescriptionEntity
from launch.actions import (
    DeclareLaunchArgument,
    IncludeLaunchDescription,
    RegisterEventHandler,
    Shutdown,
)
from launch.conditions import IfCondition
from launch.event_handlers import OnProcessExit
from launch.events.process import ProcessExited
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration, PythonExpression
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
TWIN = ("cell", "preset", "seed", "factor", "camera_rate", "shadows", "use_sim_time")


def ended(event: ProcessExited, _: LaunchContext) -> list[LaunchDescriptionEntity] | None:
    """All ends with the episodes; but not because they were killed: then they go on."""
    return None if event.returncode < 0 else [Shutdown(reason="the episodes are played")]


def generate_launch_description() -> LaunchDescription:
    on_twin = PythonExpression(["'", LaunchConfiguration("robot"), "' == 'twin'"])

    def given(name: str, kind: type = str) -> ParameterValue:
        return ParameterValue(LaunchConfiguration(name), value_type=kind)

    def node(name: str, **choices) -> Node:
        condition, respawn = choices.pop("condition", None), choices.pop("respawn", True)
        shared = {"cell": given("cell"), "use_sim_time": given("use_sim_time", bool)}
        return Node(
            package="regrasp_nodes", executable=f"{name}_node", name=name, output="screen",
            respawn=respawn, respawn_delay=0.5, condition=condition,
            parameters=[{**shared, **choices}],
        )  # fmt: skip

    episodes = node(
        "episode", log=given("log"), source=given("source"), task=given("task"),
        episodes=given("episodes", int), seed=given("seed", int), exit_when_done=True,
        round=f"r{time.time_ns()}",
    )  # fmt: skip
    return LaunchDescription(
        [
            DeclareLaunchArgument(
                "robot",
                default_value="twin",
                choices=["twin", "real"],
                description="the simulated hardware, or yours (see bringup_real.launch.py)",
            ),
            DeclareLaunchArgument(
                "cell",
                default_value=str(ROOT / "calibration/cells/twin.yaml"),
                description="cell file",
            ),
            DeclareLaunchArgument(
                "policy",
                default_value=str(ROOT / "policy/trained/grasp.onnx"),
                description="ONNX file; none: a person drives",
            ),
            DeclareLaunchArgument(
                "explore",
                default_value="0.0",
                description="share of the policy's steps that stray from the best it knows",
            ),
            DeclareLaunchArgument(
                "reward",
                default_value="subtraction",
                description="detectors that judge, with commas between; vote: or veto: before",
            ),
            DeclareLaunchArgument(
                "reward_folder",
                default_value="runs/reward",
                description="what detectors measured of this cell",
            ),
            DeclareLaunchArgument(
                "operator",
                default_value="none",
                description="a person's device: gamepad, spacemouse, keyboard; none",
            ),
            DeclareLaunchArgument("episodes", default_value="60", description="to play"),
            DeclareLaunchArgument(
                "log", default_value="runs/log", description="directory of the experience log"
            ),
            DeclareLaunchArgument(
                "source",
                default_value="online",
                choices=["online", "demonstration"],
                description="what the log says these episodes are",
            ),
            DeclareLaunchArgument(
                "task", default_value="grasp anything", description="in words, for the log"
            ),
            DeclareLaunchArgument(
                "seed",
                default_value="0",
                description="of the twin's objects, and of where episodes start",
            ),
            DeclareLaunchArgument(
                "watched",
                default_value="runs/watch.json",
                description="where it stood when it was first watched",
            ),
            DeclareLaunchArgument(
                "watch",
                default_value="none",
                description="a camera that is watched: has it moved? wrist, front; none",
            ),
            DeclareLaunchArgument(
                "preset", default_value="lab_night", description="the twin's room"
            ),
            DeclareLaunchArgument(
                "factor",
                default_value="1.0",
                description="the twin's speed; with any but 1.0 set use_sim_time:=true",
            ),
            DeclareLaunchArgument(
                "camera_rate",
                default_value="0.0",
                description="the twin's pictures a second; 0: as the cell file has it",
            ),
            DeclareLaunchArgument(
                "shadows",
                default_value="true",
                choices=["true", "false"],
                description="the twin draws them: they cost half a picture's time",
            ),
            DeclareLaunchArgument(
                "use_sim_time",
                default_value="false",
                choices=["true", "false"],
                description="the twin's clock is everybody's",
            ),
            IncludeLaunchDescription(
                PythonLaunchDescriptionSource(str(HERE / "twin.launch.py")),
                condition=IfCondition(on_twin),
                launch_arguments=[(name, LaunchConfiguration(name)) for name in TWIN],
            ),
            # On hardware a person arms it.
            node("guard", arm_at_start=ParameterValue(on_twin, value_type=bool)),
            node("policy", policy=given("policy"), explore=given("explore", float)),
            node(
                "reward",
                detectors=given("reward"),
                folder=given("reward_folder"),
                log=given("log"),
                task=given("task"),
            ),
            node("reset", seed=given("seed", int)),
            node(
                "teleop",
                device=given("operator"),
                condition=IfCondition(
                    PythonExpression(["'", LaunchConfiguration("operator"), "' != 'none'"])
                ),
            ),
            node(
                "watch",
                camera=given("watch"),
                reference=given("watched"),
                condition=IfCondition(
                    PythonExpression(["'", LaunchConfiguration("watch"), "' != 'none'"])
                ),
            ),
            episodes,
            RegisterEventHandler(OnProcessExit(target_action=episodes, on_exit=ended)),
        ]
    )
