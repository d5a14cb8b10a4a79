"""`rosless launch FILE name:=value ...`: runs a launch file."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from launch import LaunchDescription, LaunchService
from launch.actions import IncludeLaunchDescription
from launch.launch_description_sources import (
    PythonLaunchDescriptionSource,
    get_launch_description_from_python_launch_file,
)
from launch.substitutions import describe


def main(argv: Sequence[str]) -> int:
    """0, or 1 where launch failed. A command line that makes no sense ends in SystemExit(2)."""
    parser = argparse.ArgumentParser(prog="rosless launch", description="Run a launch file.")
    parser.add_argument("file", help="a Python launch file")
    parser.add_argument("arguments", nargs="*", metavar="name:=value", help="arguments of the file")
    parser.add_argument(
        "-s", "--show-args", action="store_true", help="show the arguments of the file, and end"
    )
    parser.add_argument("-d", "--debug", action="store_true", help="show tracebacks")
    given = parser.parse_intermixed_args(argv)
    if not Path(given.file).is_file():
        parser.error(f"launch file {given.file} is not a file: give the path of a *.launch.py")
    values: dict[str, str] = {}
    for argument in given.arguments:
        name, _, value = argument.partition(":=")
        if not (name and value):
            parser.error(f"launch argument '{argument}' is malformed, wanted <name>:=<value>")
        values[name] = value  # the last of a name wins
    if given.show_args:
        print(describe_arguments(get_launch_description_from_python_launch_file(given.file)))
        return 0
    service = LaunchService(argv=given.arguments, debug=given.debug)
    source = PythonLaunchDescriptionSource(given.file)
    include = IncludeLaunchDescription(source, launch_arguments=values.items())
    service.include_launch_description(LaunchDescription([include]))
    return service.run()


def describe_arguments(description: LaunchDescription) -> str:
    text = "Arguments (pass arguments as '<name>:=<value>'):\n"
    declarations = description.declarations()
    for argument, conditional in declarations:
        text += f"\n    '{argument.name}':{'*' if conditional else ''}\n"
        text += f"        {argument.description}\n"
        if argument.default_value is not None:
            text += f"        (default: {describe(argument.default_value)})\n"
    if not declarations:
        text += "\n  No arguments.\n"
    if any(conditional for _, conditional in declarations):
        text += "\n* argument(s) which are only used if specific conditions occur\n"
    return text


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
