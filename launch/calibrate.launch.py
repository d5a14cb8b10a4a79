"""A camera of the cell is calibrated: a person is told where to put the board, the arm looks at it
from pose to pose, and another cell file comes out."""

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
TWINS = ("cell", "preset", "seed", "factor", "camera_rate", "use_sim_time")
LEAN = 0.65  # rad that the tool may lean meanwhile: 35 degrees, and a little to spare


def ended(_: ProcessExited, __: LaunchContext) -> list[LaunchDescriptionEntity]:
    return [Shutdown(reason="the calibration is done")]


def generate_launch_description() -> LaunchDescription:
    on_twin = PythonExpression(["'", LaunchConfiguration("robot"), "' == 'twin'"])

    def given(name: str, kind: type = str) -> ParameterValue:
        return ParameterValue(LaunchConfiguration(name), value_type=kind)

    def node(name: str, **choices) -> Node:
        return Node(
            package="regrasp_nodes",
            executable=f"{name}_node",
            name=name,
            output="screen",
            parameters=[
                {"cell": given("cell"), "use_sim_time": given("use_sim_time", bool), **choices}
            ],
        )

    calibration = node(
        "calibration",
        camera=given("camera"),
        out=given("out"),
        poses=given("poses", int),
        views=given("views", int),
        square=given("square", float),
        marker=given("marker", float),
        exit_when_done=True,
    )
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
                default_value=str(HERE.parent / "calibration/cells/twin.yaml"),
                description="cell file to begin with; it is not changed",
            ),
            DeclareLaunchArgument(
                "camera", default_value="front", description="which of the cell's cameras"
            ),
            DeclareLaunchArgument(
                "out",
                default_value="runs/calibration",
                description="gets cell.yaml, and what was seen",
            ),
            DeclareLaunchArgument("poses", default_value="15", description="that the arm takes"),
            DeclareLaunchArgument(
                "views", default_value="60", description="of the lens, at most; fewer, if enough"
            ),
            DeclareLaunchArgument(
                "square", default_value="0.038", description="side of a square on the print, m"
            ),
            DeclareLaunchArgument(
                "marker", default_value="0.028", description="side of a marker on the print, m"
            ),
            DeclareLaunchArgument("preset", default_value="factory", description="the twin's room"),
            DeclareLaunchArgument(
                "seed", default_value="0", description="of what is hidden in the twin"
            ),
            DeclareLaunchArgument(
                "factor",
                default_value="1.0",
                description="the twin's speed; with any but 1.0 set use_sim_time:=true",
            ),
            DeclareLaunchArgument(
                "use_sim_time",
                default_value="false",
                choices=["true", "false"],
                description="the twin's clock is everybody's",
            ),
            DeclareLaunchArgument(
                "camera_rate",
                default_value="0.0",
                description="the twin's pictures a second; 0: as the cell file has it",
            ),
            IncludeLaunchDescription(
                PythonLaunchDescriptionSource(str(HERE / "twin.launch.py")),
                condition=IfCondition(on_twin),
                launch_arguments=[
                    *((name, LaunchConfiguration(name)) for name in TWINS),
                    ("cameras", ["[", LaunchConfiguration("camera"), "]"]),
                    ("board", "true"),
                ],
            ),
            node("guard", lean=LEAN, arm_at_start=ParameterValue(on_twin, value_type=bool)),
            calibration,
            RegisterEventHandler(OnProcessExit(target_action=calibration, on_exit=ended)),
        ]
    )
