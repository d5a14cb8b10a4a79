"""The simulated hardware, and the person beside it who clears the arm's stops."""

from typing import Any, List  # noqa: UP035 - launch_ros knows no other

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue


def generate_launch_description() -> LaunchDescription:
    def given(name: str, kind: Any) -> ParameterValue:
        return ParameterValue(LaunchConfiguration(name), value_type=kind)

    return LaunchDescription(
        [
            DeclareLaunchArgument(
                "cell", default_value="calibration/cells/twin.yaml", description="cell file"
            ),
            DeclareLaunchArgument(
                "preset",
                default_value="lab_night",
                description="the room: factory, kitchen, lab_night; none: as the cell file has it",
            ),
            DeclareLaunchArgument(
                "cameras",
                default_value="[front, wrist_depth]",
                description="images: wrist, wrist_depth, ...",
            ),
            DeclareLaunchArgument(
                "board",
                default_value="false",
                choices=["true", "false"],
                description="have a printed board to calibrate with",
            ),
            DeclareLaunchArgument(
                "seed", default_value="0", description="of objects, looks and noise"
            ),
            DeclareLaunchArgument(
                "factor",
                default_value="1.0",
                description="twin seconds a wall second; with any but 1.0 set use_sim_time:=true",
            ),
            DeclareLaunchArgument(
                "camera_rate",
                default_value="0.0",
                description="pictures a second of twin time; 0: as the cell file has it",
            ),
            DeclareLaunchArgument(
                "shadows",
                default_value="true",
                choices=["true", "false"],
                description="draw them: they cost half a picture's time",
            ),
            DeclareLaunchArgument(
                "use_sim_time",
                default_value="false",
                choices=["true", "false"],
                description="the twin's clock is everybody's",
            ),
            Node(
                package="regrasp_nodes",
                executable="twin_node",
                name="twin",
                output="screen",
                parameters=[
                    {
                        "cell": given("cell", str),
                        "cameras": given("cameras", List[str]),  # noqa: UP006
                        "board": given("board", bool),
                        "preset": given("preset", str),
                        "seed": given("seed", int),
                        "factor": given("factor", float),
                        "camera_rate": given("camera_rate", float),
                        "shadows": given("shadows", bool),
                        "use_sim_time": given("use_sim_time", bool),
                    }
                ],
            ),
            Node(
                package="regrasp_nodes",
                executable="attendant_node",
                name="attendant",
                output="screen",
                parameters=[{"use_sim_time": given("use_sim_time", bool)}],
            ),
        ]
    )
