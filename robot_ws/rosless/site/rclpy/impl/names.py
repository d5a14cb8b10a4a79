"""Names of nodes, topics and services: what may be one, and what it becomes."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rclpy.exceptions import (
    InvalidNamespaceException,
    InvalidNodeNameException,
    InvalidServiceNameException,
    InvalidTopicNameException,
    NameValidationException,
)

LONGEST_NODE, LONGEST_TOPIC = 255, 247
DIGITS = "0123456789"
_SUBSTITUTION = re.compile(r"\{([^{}]*)\}")
Fault = tuple[str, int] | None  # why not, and where
Error = Callable[[str, str, int], NameValidationException]


def validate_node_name(name: str) -> bool:
    _require(name, _node_fault(name), InvalidNodeNameException)
    return True


def validate_namespace(namespace: str) -> bool:
    fault = _full_fault(namespace, "namespace") if namespace != "/" else None
    _require(namespace, fault, InvalidNamespaceException)
    return True


def validate_topic_name(name: str, *, is_service: bool = False) -> bool:
    """As a user may write it: relative, private, with substitutions."""
    error = InvalidServiceNameException if is_service else InvalidTopicNameException
    _require(name, _topic_fault(name), error)
    return True


def validate_full_topic_name(name: str, *, is_service: bool = False) -> bool:
    error = InvalidServiceNameException if is_service else InvalidTopicNameException
    _require(name, _full_fault(name), error)
    return True


def _require(name: str, fault: Fault, error: Error) -> None:
    if fault is not None:
        raise error(name, *fault)


def _node_fault(name: str) -> Fault:
    if not name:
        return "node name must not be empty", 0
    if found := re.search(r"[^A-Za-z0-9_]", name):
        text = "node name must not contain characters other than alphanumerics or '_'"
        return text, found.start()
    if name[0].isdigit():
        return "node name must not start with a number", 0
    if len(name) > LONGEST_NODE:
        return f"node name must not be longer than {LONGEST_NODE}", LONGEST_NODE - 1
    return None


def _topic_fault(name: str) -> Fault:
    if not name:
        return "topic name must not be empty", 0
    if name[-1] == "/":
        return "topic name must not end with '/'", len(name) - 1
    opened = -1  # where a brace was
    for index, char in enumerate(name):
        if opened >= 0 and char != "}":
            digit = char in DIGITS and index == opened + 1
            if digit or not re.match(r"[A-Za-z0-9_]", char):
                return f"topic name must not have {char!r} here in a substitution", index
        elif char == "{":
            opened = index
        elif char == "}":
            if opened < 0:
                return "topic name must not have unbalanced curly braces '{}'", index
            opened = -1
        elif char == "~":
            if index:
                return "topic name must not have tilde '~' unless it is first", index
        elif not re.match(r"[A-Za-z0-9_/]", char):
            return (
                f"topic name must not contain {char!r}, but alphanumerics and any of '_/~{{}}'",
                index,
            )
    if opened >= 0:
        return "topic name must not have unbalanced curly braces '{}'", opened
    if name[0] == "~" and len(name) > 1 and name[1] != "/":
        return "topic name must not have tilde '~' followed by anything but a slash", 1
    return _tokens_fault(name, "topic name")


def _full_fault(name: str, what: str = "topic name") -> Fault:
    if not name:
        return f"{what} must not be empty", 0
    if name[0] != "/":
        return f"{what} must be absolute, it must lead with a '/'", 0
    if name[-1] == "/":
        return f"{what} must not end with '/'", len(name) - 1
    if found := re.search(r"[^A-Za-z0-9_/]", name):
        return f"{what} must not contain characters but alphanumerics, '_' and '/'", found.start()
    if len(name) > LONGEST_TOPIC:
        return f"{what} must not be longer than {LONGEST_TOPIC}", LONGEST_TOPIC - 1
    return _tokens_fault(name, what)


def _tokens_fault(name: str, what: str) -> Fault:
    if "//" in name:
        return f"{what} must not contain repeated '/'", name.index("//") + 1
    if found := re.search(r"(?:^|/)[0-9]", name):
        return f"{what} token must not start with a number", found.end() - 1
    return None


def expand(name: str, node: str, namespace: str) -> str:
    """~/image -> /ns/node/image; image -> /ns/image."""
    base = "" if namespace == "/" else namespace
    known = {"node": node, "ns": base or "/", "namespace": base or "/"}

    def replaced(found: re.Match[str]) -> str:
        if found[1] not in known:
            raise InvalidTopicNameException(name, f"unknown substitution {found[0]}", found.start())
        return known[found[1]]

    text = _SUBSTITUTION.sub(replaced, name)
    if text.startswith("~"):
        text = f"{base}/{node}{text[1:]}"
    elif not text.startswith("/"):
        text = f"{base}/{text}"
    return re.sub(r"/+", "/", text)


class InvalidROSArgsError(RuntimeError):
    """One that is known, but is not followed by what it needs."""


@dataclass(frozen=True)
class Remap:
    """from:=to; of one node alone, or of every one; of topics, services or both."""

    source: str
    target: str
    node: str = ""
    scheme: str = ""  # "rostopic", "rosservice"

    @classmethod
    def parse(cls, text: str) -> Remap:
        source, sep, target = text.partition(":=")
        if not sep or not source or not target:
            raise InvalidROSArgsError(f"--remap: found {text!r}, wanted from:=to; correct it")
        node, scheme = "", ""
        for kind in ("rostopic", "rosservice"):
            if source.startswith(f"{kind}://"):
                scheme, source = kind, source[len(kind) + 3 :]
        if ":" in source:
            node, source = source.split(":", 1)
        return cls(source, target, node, scheme)


def remapped_node(name: str, rules: Sequence[Remap]) -> str:
    return _special("__node", name, rules) or _special("__name", name, rules) or name


def remapped_namespace(namespace: str, name: str, rules: Sequence[Remap]) -> str:
    return _special("__ns", name, rules) or namespace


def _special(key: str, node: str, rules: Sequence[Remap]) -> str | None:
    return next((r.target for r in rules if r.source == key and r.node in ("", node)), None)


def remapped(
    full: str, node: str, namespace: str, rules: Sequence[Remap], *, service: bool = False
) -> str:
    """Of a full name; the first rule that fits."""
    scheme = "rosservice" if service else "rostopic"
    for rule in rules:
        if rule.source.startswith("__") or rule.node not in ("", node):
            continue
        if rule.scheme in ("", scheme) and expand(rule.source, node, namespace) == full:
            return expand(rule.target, node, namespace)
    return full
