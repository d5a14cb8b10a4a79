"""--ros-args: what a node is told on its command line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from .names import InvalidROSArgsError, Remap
from .yaml_text import parse_yaml

BEGIN, END = "--ros-args", "--"
LEVELS = {"debug": 10, "info": 20, "warn": 30, "warning": 30, "error": 40, "fatal": 50, "unset": 0}
# Accepted, and without meaning here: there is one logger, to the terminal and to /rosout.
FLAGS = {
    f"--{switch}-{what}"
    for switch in ("enable", "disable")
    for what in ("stdout-logs", "external-lib-logs")
}
KEY = "ros__parameters"


class UnknownROSArgsError(RuntimeError):
    def __init__(self, unknown: Sequence[str]) -> None:
        super().__init__(f"Found unknown ROS arguments: {', '.join(map(repr, unknown))}")


class ParameterFileError(InvalidROSArgsError, ValueError):
    """A file that holds no parameters."""


@dataclass
class Arguments:
    remaps: list[Remap] = field(default_factory=list)
    # (pattern of nodes, parameter, value), a later one goes before an earlier
    parameters: list[tuple[str, str, Any]] = field(default_factory=list)
    levels: dict[str, int] = field(default_factory=dict)  # "" is for all
    rosout: bool = True
    enclave: str = "/"
    rest: list[str] = field(default_factory=list)  # what is not for ROS

    def parameters_of(self, full_name: str) -> dict[str, Any]:
        """What was said of this node's parameters, the last of each."""
        return {
            name: value for pattern, name, value in self.parameters if matches(pattern, full_name)
        }


def parse(argv: Sequence[str]) -> Arguments:
    result, words, unknown = Arguments(), list(argv), list[str]()
    inside = False
    while words:
        word = words.pop(0)
        if not inside:
            if word == BEGIN:
                inside = True
            else:
                result.rest.append(word)
        elif word == END:
            inside = False
        elif word != BEGIN and not _taken(result, word, words):
            unknown.append(word)
    if unknown:
        raise UnknownROSArgsError(unknown)
    return result


def _taken(result: Arguments, word: str, words: list[str]) -> bool:
    def following() -> str:
        if not words:
            raise InvalidROSArgsError(f"{word}: found nothing after it, wanted a value; give one")
        return words.pop(0)

    if word in ("-r", "--remap"):
        result.remaps.append(Remap.parse(following()))
    elif word in ("-p", "--param"):
        result.parameters.append(_parameter(following()))
    elif word == "--params-file":
        result.parameters += parameters_in(Path(following()))
    elif word == "--log-level":
        name, sep, level = following().rpartition(":=")
        if level.lower() not in LEVELS:
            raise InvalidROSArgsError(
                f"--log-level: found {level!r}, wanted one of {', '.join(LEVELS)}"
            )
        result.levels[name if sep else ""] = LEVELS[level.lower()]
    elif word in ("-e", "--enclave"):
        result.enclave = following()
    elif word in ("--enable-rosout-logs", "--disable-rosout-logs"):
        result.rosout = word.startswith("--enable")
    elif word == "--log-config-file":
        following()
    else:
        return word in FLAGS
    return True


def _parameter(text: str) -> tuple[str, str, Any]:
    name, sep, value = text.partition(":=")
    if not sep or not name:
        raise InvalidROSArgsError(f"--param: found {text!r}, wanted name:=value; correct it")
    node, sep, name_of_it = name.partition(":")
    try:
        parsed = parse_yaml(value)
    except yaml.YAMLError:
        parsed = value
    return (node, name_of_it, parsed) if sep else ("/**", name, parsed)


def parameters_in(path: Path) -> list[tuple[str, str, Any]]:
    """Of a YAML file: nodes, maybe beneath namespaces, each with its ros__parameters."""
    try:
        content = parse_yaml(path.read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ParameterFileError(f"{path}: {error}; give a YAML file of parameters") from None
    if not isinstance(content, dict):
        raise ParameterFileError(f"{path}: found no mapping, wanted node: {KEY}: ...; correct it")
    return list(_nodes(path, "", content))


def _nodes(path: Path, above: str, content: Mapping[Any, Any]) -> Iterator[tuple[str, str, Any]]:
    for key, value in content.items():
        if not isinstance(value, Mapping):
            where = f"{above}/{key}".lstrip("/")
            raise ParameterFileError(f"{path}: {where}: found {value!r}, wanted {KEY}: beneath it")
        pattern = str(key) if str(key).startswith("/") or not above else f"{above}/{key}"
        for name, inner in value.items():
            if name == KEY:
                yield from ((pattern, *pair) for pair in flat(inner or {}))
            else:
                yield from _nodes(path, pattern, {name: inner})


def flat(values: Mapping[Any, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """Nested parameters are named with dots."""
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from flat(value, f"{before}{key}.")
        else:
            yield f"{before}{key}", value


def matches(pattern: str, full_name: str) -> bool:
    """/* stands for one part of a name, /** for any number. A bare name is one in the root."""
    parts = re.split(r"(/\*\*|/\*)", pattern if pattern.startswith("/") else f"/{pattern}")
    known = {"/*": r"/\w+", "/**": r"(/\w+)*"}
    return re.fullmatch("".join(known.get(p, re.escape(p)) for p in parts), full_name) is not None
