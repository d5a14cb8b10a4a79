"""A ROS node as a process."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from launch import LaunchContext, SomeSubstitutionsType
from launch.actions import ExecuteProcess
from launch.substitutions import resolve
from rosless.packages import executable_command

from .parameter_descriptions import evaluate_parameters


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
        super().__init__(cmd=[executable, *(arguments or ())], name=exec_name, **kwargs)
        if isinstance(parameters, (str, Mapping)):
            raise TypeError(f"Node: parameters is {parameters!r}, wanted a list of such")
        self._package, self._node_name, self._namespace = package, name, namespace
        self._parameters, self._remappings = list(parameters or ()), list(remappings or ())
        self._ros_arguments = list(ros_arguments or ())
        self._python_path: list[Path] = []

    def program(self, context: LaunchContext) -> tuple[str, list[str]]:
        label, cmd = super().program(context)
        if self._package is not None:
            command, self._python_path = executable_command(resolve(context, self._package), cmd[0])
            cmd = [*command, *cmd[1:]]
        return label, [*cmd, "--ros-args", *self._ros_words(context)]

    def environment(self, context: LaunchContext) -> dict[str, str]:
        env = super().environment(context)
        paths = [*map(str, self._python_path), env.get("PYTHONPATH", "")]
        return {**env, "PYTHONPATH": os.pathsep.join(filter(None, paths))}

    def _ros_words(self, context: LaunchContext) -> list[str]:
        words = [resolve(context, one) for one in self._ros_arguments]
        if self._node_name is not None:
            words += ["-r", f"__node:={resolve(context, self._node_name)}"]
        if self._namespace is not None:
            words += ["-r", f"__ns:=/{resolve(context, self._namespace).strip('/')}"]
        for one in self._parameters:
            if isinstance(one, Mapping):
                path = self._written(context, evaluate_parameters(context, one))
            else:
                path = os.fspath(one) if isinstance(one, os.PathLike) else resolve(context, one)
            if os.path.isfile(path):
                words += ["--params-file", path]
            else:
                context.log.warning(f"Parameter file path is not a file: {path}")
        for source, target in self._remappings:
            words += ["-r", f"{resolve(context, source)}:={resolve(context, target)}"]
        return words

    def _written(self, context: LaunchContext, parameters: dict[str, Any]) -> str:
        """In a file that goes with the launch: a process that is respawned reads it again."""
        with tempfile.NamedTemporaryFile("w", dir=context.files, delete=False) as file:
            yaml.safe_dump({"/**": {"ros__parameters": parameters}}, file)
        return file.name
