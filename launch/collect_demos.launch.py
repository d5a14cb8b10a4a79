"""A person drives, the cell judges, resets and writes it down: demonstrations to learn from."""

from pathlib import Path

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration

HERE = Path(__file__).resolve().parent
PASSED = ("robot", "cell", "operator", "episodes", "log", "preset", "seed")


def generate_launch_description() -> LaunchDescription:
    return LaunchDescription(
        [
            DeclareLaunchArgument(
                "robot",
                default_value="twin",
                choices=["twin", "real"],
                description="the simulated hardware, or yours",
            ),
            DeclareLaunchArgument(
                "cell",
                default_value=str(HERE.parent / "calibration/cells/twin.yaml"),
                description="cell file",
            ),
            DeclareLaunchArgument(
                "operator",
                default_value="gamepad",
                description="device: gamepad, spacemouse, keyboard",
            ),
            DeclareLaunchArgument("episodes", default_value="20", description="to play"),
            DeclareLaunchArgument(
                "log",
                default_value="runs/demonstrations",
                description="directory of the experience log",
            ),
            DeclareLaunchArgument(
                "preset", default_value="lab_night", description="the twin's room"
            ),
            DeclareLaunchArgument(
                "seed",
                default_value="0",
                description="of the twin's objects, and of where episodes start",
            ),
            IncludeLaunchDescription(
                PythonLaunchDescriptionSource(str(HERE / "grasp_run.launch.py")),
                launch_arguments=[
                    *((name, LaunchConfiguration(name)) for name in PASSED),
                    ("policy", "none"),
                    ("source", "demonstration"),
                ],
            ),
        ]
    )
