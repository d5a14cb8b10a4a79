"""The cell gets better by itself: it grasps, judges itself, and learns from what it did. A person
may take over at any time, and what that person does is learnt from as well."""

from pathlib import Path

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription
from launch.conditions import IfCondition
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent


def generate_launch_description() -> LaunchDescription:
    log = LaunchConfiguration("log")

    def text(name: str) -> ParameterValue:
        return ParameterValue(LaunchConfiguration(name), value_type=str)

    return LaunchDescription(
        [
            DeclareLaunchArgument(
                "log", default_value="runs/finetune/log", description="the experience log"
            ),
            DeclareLaunchArgument(
                "learner",
                default_value="runs/finetune/learner",
                description="the learner's directory",
            ),
            DeclareLaunchArgument(
                "start",
                default_value=str(ROOT / "policy/trained/grasp.safetensors"),
                description="what the learner goes on from: a run of policy.train, or weights",
            ),
            DeclareLaunchArgument(
                "camera",
                default_value="wrist",
                description="the hand's, that is looked for in the log before learning begins; "
                "none: it is where the cell file has it",
            ),
            DeclareLaunchArgument(
                "remote",
                default_value="here",
                description="where a learner on another machine receives: tcp://learner:5556; here",
            ),
            DeclareLaunchArgument(
                "choices",
                default_value="",
                description="of policy.finetune, as on its command line: 'rate=0.1 threads=2'; "
                "with remote, of policy.shipping: the keys",
            ),
            DeclareLaunchArgument(
                "report", default_value="runs/finetune/report", description="where the report goes"
            ),
            DeclareLaunchArgument(
                "learn", default_value="true", choices=["true", "false"], description="do so"
            ),
            DeclareLaunchArgument(
                "explore",
                default_value="0.2",
                description="share of the policy's steps that stray from the best it knows",
            ),
            IncludeLaunchDescription(
                PythonLaunchDescriptionSource(str(HERE / "grasp_run.launch.py")),
                launch_arguments=[("log", log), ("explore", LaunchConfiguration("explore"))],
            ),
            Node(
                package="regrasp_nodes",
                executable="finetune_node",
                name="finetune",
                output="screen",
                respawn=True,
                respawn_delay=0.5,
                condition=IfCondition(LaunchConfiguration("learn")),
                parameters=[
                    {
                        "cell": LaunchConfiguration("cell"),
                        "log": log,
                        "out": LaunchConfiguration("learner"),
                        "start": LaunchConfiguration("start"),
                        "camera": text("camera"),
                        "remote": text("remote"),
                        "choices": text("choices"),
                    }
                ],
            ),
            Node(
                package="regrasp_nodes",
                executable="scoreboard_node",
                sigterm_timeout="60",  # it writes the report then
                name="scoreboard",
                output="screen",
                parameters=[{"log": log, "out": LaunchConfiguration("report")}],
            ),
        ]
    )
