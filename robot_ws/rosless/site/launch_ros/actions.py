"""A ROS node as a process, and actions that hold for the nodes after them."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from launch import LaunchContext, SomeSubstitutionsType
from launch.actions import ExecuteProcess
from launch.left_out import left_out
from launch.logging import get_logger
from launch.utilities import resolve
from rosless.packages import executable_command

from .parameter_descriptions import Parameter, ParameterFile, evaluate_parameters
from .scope import (
    PARAMETERS,
    REMAPS,
    PushROSNamespace,
    SetParameter,
    SetParametersFromFile,
    SetRemap,
    within_namespace,
)

__all__ = [
    "Node",
    "PushROSNamespace",
    "PushRosNamespace",
    "SetParameter",
    "SetParametersFromFile",
    "SetRemap",
]

PushRosNamespace = PushROSNamespace


class Node(ExecuteProcess):
    """`executable` of `package`, or a path where no package is given, with its name, namespace,
    parameters and remappings after --ros-args on its command line."""

    def __init__(
        self,
        *,
        executable: SomeSubstitutionsType,
        package: SomeSubstitutionsType | None = None,
        name: SomeSubstitutionsType | None = None,
        namespace: SomeSubstitutionsType | None = None,
        exec_name: SomeSubstitutionsType | None = None,
        parameters: Sequence[Any] | None = None,
        remappings: Iterable[tuple[SomeSubstitutionsType, SomeSubstitutionsType]] | None = None,
        ros_arguments: Iterable[SomeSubstitutionsType] | None = None,
        arguments: Iterable[SomeSubstitutionsType] | None = None,
        **kwargs: Any,
    ) -> None:
        cmd = [executable, *(arguments or ())]
        if ros_arguments is not None:
            cmd += ["--ros-args", *ros_arguments]
        super().__init__(cmd=cmd, name=exec_name, **kwargs)
        if isinstance(parameters, (str, Mapping)):
            raise TypeError(f"Node: parameters is {parameters!r}, wanted a list of such")
        self._package = package
        self._node_name = name
        self._namespace = namespace
        self._parameters = list(parameters or ())
        self._remappings = [(source, target) for source, target in remappings or ()]
        self._python_path: list[Path] = []
        self._files: list[str] = []  # of parameters, to remove in the end

    def program(self, context: LaunchContext) -> tuple[str, list[str]]:
        label, cmd = super().program(context)
        if self._package is not None:
            command, self._python_path = executable_command(resolve(context, self._package), cmd[0])
            cmd = [*command, *cmd[1:]]
        return label, [*cmd, "--ros-args", *self._ros_arguments(context)]

    def environment(self, context: LaunchContext) -> dict[str, str]:
        env = super().environment(context)
        if self._python_path:
            paths = [*map(str, self._python_path), env.get("PYTHONPATH", "")]
            env["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
        return env

    def execute(self, context: LaunchContext) -> None:
        try:
            super().execute(context)
        except BaseException:
            self._remove_files(None)
            raise
        if self._ended is not None:
            self._ended.add_done_callback(self._remove_files)

    def _ros_arguments(self, context: LaunchContext) -> list[str]:
        arguments = []
        name = None if self._node_name is None else resolve(context, self._node_name)
        given = None if self._namespace is None else resolve(context, self._namespace)
        namespace = within_namespace(context, given)
        _validate(name, namespace)
        if name is not None:
            arguments += ["-r", f"__node:={name}"]
        if namespace is not None:
            arguments += ["-r", f"__ns:={namespace}"]

        for one in context.launch_configurations.get(PARAMETERS, ()):
            if isinstance(one, Path):
                arguments += ["--params-file", str(one)]
            else:  # a scalar is written bare, as launch_ros does, and so read anew as YAML
                value = _yaml(one[1]) if isinstance(one[1], list) else str(one[1])
                arguments += ["-p", f"{one[0]}:={value}"]
        full = None if name is None or namespace is None else f"{namespace.rstrip('/')}/{name}"
        for one in self._parameters:
            if isinstance(one, Parameter):
                parameter, value = one.evaluate(context)
                arguments += ["-p", f"{parameter}:={_yaml(value)}"]
            elif isinstance(one, Mapping):
                arguments += ["--params-file", self._write(full, evaluate_parameters(context, one))]
            else:
                file = one if isinstance(one, ParameterFile) else ParameterFile(one)
                path = file.evaluate(context)
                if path.is_file():
                    arguments += ["--params-file", str(path)]
                else:
                    get_logger().warning(f"Parameter file path is not a file: {path}")

        remaps = list(context.launch_configurations.get(REMAPS, ()))
        remaps += [
            (resolve(context, source), resolve(context, to)) for source, to in self._remappings
        ]
        for source, target in remaps:
            arguments += ["-r", f"{source}:={target}"]
        return arguments

    def _write(self, full_name: str | None, parameters: dict[str, Any]) -> str:
        """For any node of the process, unless its full name is known."""
        with tempfile.NamedTemporaryFile("w", prefix="launch_params_", delete=False) as file:
            self._files.append(file.name)
            yaml.safe_dump({full_name or "/**": {"ros__parameters": parameters}}, file)
        return file.name

    def _remove_files(self, _: object) -> None:
        for file in self._files:
            Path(file).unlink(missing_ok=True)


def _yaml(value: Any) -> str:
    """On one line, and without YAML's mark for the end of a bare value."""
    text: str = yaml.safe_dump(value, default_flow_style=True, width=float("inf"))
    return text.removesuffix("...\n").rstrip("\n")


def _validate(name: str | None, namespace: str | None) -> None:
    # Here, since rclpy brings DDS along, which launch itself does without.
    from rclpy.validate_namespace import validate_namespace
    from rclpy.validate_node_name import validate_node_name

    if name is not None:
        validate_node_name(name)
    if namespace is not None:
        validate_namespace(namespace)


__getattr__ = left_out(__name__)
