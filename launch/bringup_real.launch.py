"""The real hardware's side: the cameras. The arm's own driver (MoveIt Servo, or a Cartesian
controller) and the gripper's are started by their makers' launch files; robot_ws/README.md tells
what they must offer, and what to check in the first hour."""

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument
from launch.conditions import IfCondition
from launch.substitutions import LaunchConfiguration, PythonExpression
from launch_ros.actions import Node


def generate_launch_description() -> LaunchDescription:
    cell = LaunchConfiguration("cell")

    def camera(name: str) -> Node:
        serial = LaunchConfiguration(f"{name}_serial")
        return Node(
            package="regrasp_nodes",
            executable="camera_node",
            name=f"camera_{name}",
            output="screen",
            respawn=True,
            respawn_delay=2.0,
            condition=IfCondition(PythonExpression(["'", serial, "' != 'none'"])),
            # An underscore keeps the digits text.
            parameters=[{"cell": cell, "camera": name, "serial": ["_", serial]}],
        )

    return LaunchDescription(
        [
            DeclareLaunchArgument("cell", description="your cell file"),
            DeclareLaunchArgument(
                "front_serial",
                description="serial number of the front RealSense; none: realsense-ros runs it",
            ),
            DeclareLaunchArgument(
                "wrist_serial",
                default_value="none",
                description="the wrist's RealSense; none: realsense-ros runs it",
            ),
            camera("front"),
            camera("wrist"),
        ]
    )
