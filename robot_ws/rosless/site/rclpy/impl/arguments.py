"""--ros-args: what a node is told on its command line."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from rosless.left_out import LeftOut

from .names import expand
from .yaml_text import parse_yaml

BEGIN, END = "--ros-args", "--"
LEVELS = {"debug": 10, "info": 20, "warn": 30, "warning": 30, "error": 40, "fatal": 50, "unset": 0}
KEY = "ros__parameters"
Given = tuple[str, str, Any]  # pattern of nodes, parameter, value


class InvalidROSArgsError(RuntimeError):
    """One that is not known, or is not followed by what it needs."""


@dataclass(frozen=True)
class Remap:
    """from:=to; of one node alone, or of every one."""

    source: str
    target: str
    node: str

    @classmethod
    def parse(cls, text: str) -> Remap:
        if text.startswith(("rostopic://", "rosservice://")):
            raise LeftOut(f"--remap {text}: a rule for topics or services alone")
        found = re.fullmatch(r"(?:([^:]+):(?!=))?(.+?):=(.+)", text)
        if found is None:
            raise InvalidROSArgsError(f"--remap: found {text!r}, wanted from:=to; correct it")
        node, source, target = found.groups()
        return cls(source, target, node or "")


@dataclass
class Arguments:
    remaps: list[Remap] = field(default_factory=list)
    parameters: list[Given] = field(default_factory=list)  # a later one goes before an earlier
    levels: dict[str, int] = field(default_factory=dict)  # "" is for all
    rest: list[str] = field(default_factory=list)  # what is not for ROS

    def parameters_of(self, full_name: str) -> dict[str, Any]:
        """What was said of this node's parameters, the last of each."""
        return {
            key: value for pattern, key, value in self.parameters if matches(pattern, full_name)
        }


def parse(argv: Sequence[str]) -> Arguments:
    result, words, inside = Arguments(), list(argv), False
    while words:
        word = words.pop(0)
        if word == BEGIN:
            inside = True
        elif not inside:
            result.rest.append(word)
        elif word == END:
            inside = False
        elif not _taken(result, word, words):
            raise InvalidROSArgsError(f"Found unknown ROS argument: {word!r}")
    return result


def remove_ros_args(args: Sequence[str] | None = None) -> list[str]:
    return parse(sys.argv if args is None else args).rest


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
        name, _, level = following().rpartition(":=")
        if level.lower() not in LEVELS:
            wanted = ", ".join(LEVELS)
            raise InvalidROSArgsError(f"--log-level: found {level!r}, wanted one of {wanted}")
        result.levels[name] = LEVELS[level.lower()]
    else:
        return False
    return True


def _parameter(text: str) -> Given:
    name, sep, value = text.partition(":=")
    if not sep or not name or not value:
        wanted = "wanted name:=value, '' for an empty text; correct it"
        raise InvalidROSArgsError(f"--param: found {text!r}, {wanted}")
    node, sep, name_of_it = name.partition(":")
    try:
        parsed = parse_yaml(value)
    except yaml.YAMLError:
        parsed = value
    return (node, name_of_it, parsed) if sep else ("/**", name, parsed)


def parameters_in(path: Path) -> list[Given]:
    """Of a YAML file: nodes, maybe beneath namespaces, each with its ros__parameters."""
    try:
        content = parse_yaml(path.read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InvalidROSArgsError(f"{path}: {error}; give a YAML file of parameters") from None
    return list(_nodes(path, "", content))


def _nodes(path: Path, above: str, content: Any) -> Iterator[Given]:
    if not isinstance(content, Mapping):
        where = f"{path}: {above}".removesuffix(": ")
        raise InvalidROSArgsError(
            f"{where}: found {content!r}, wanted node: {KEY}: ...; correct it"
        )
    for key, value in content.items():
        if key == KEY and above:
            yield from ((above, *pair) for pair in flat(value or {}))
        else:
            below = f"{above}/{key}" if above and not key.startswith("/") else key
            yield from _nodes(path, below, value)


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


def renamed(rules: Sequence[Remap], name: str, namespace: str) -> tuple[str, str]:
    """A node's own name and namespace."""

    def special(node: str, *keys: str) -> str | None:
        fitting = (r.target for r in rules if r.source in keys and r.node in ("", node))
        return next(fitting, None)

    name = special(name, "__node", "__name") or name
    namespace = special(name, "__ns") or namespace
    return name, namespace if namespace.startswith("/") else f"/{namespace}"


def remapped(rules: Sequence[Remap], full: str, node: str, namespace: str) -> str:
    """Of a full name; the first rule that fits."""
    for rule in rules:
        fits = rule.node in ("", node) and not rule.source.startswith("__")
        if fits and expand(rule.source, node, namespace) == full:
            return expand(rule.target, node, namespace)
    return full
