"""Names of nodes, topics and services: what may be one, and what it becomes."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rclpy.exceptions import (
    InvalidNamespaceException,
    InvalidNodeNameException,
    InvalidServiceNameException,
    InvalidTopicNameException,
    NameValidationException,
)

# What may not be found in a name, and why; the fault is at the pattern's group.
Rules = Sequence[tuple[str, str]]
_EMPTY = (r"\A\Z", "must not be empty")
_SLASH = (r"/\Z", "must not end with '/'")
_TOKENS = (
    (r"/(/)", "must not contain repeated '/'"),
    (r"(?:\A|/)([0-9])", "token must not start with a number"),
)
NODE: Rules = (
    _EMPTY,
    (r"[^A-Za-z0-9_]", "must not contain characters other than alphanumerics or '_'"),
    (r"\A[0-9]", "must not start with a number"),
    (r".{254}(.).", "must not be longer than 255"),
)
FULL: Rules = (
    _EMPTY,
    (r"\A[^/]", "must be absolute, it must lead with a '/'"),
    _SLASH,
    (r"[^A-Za-z0-9_/]", "must not contain characters but alphanumerics, '_' and '/'"),
    (r".{246}(.).", "must not be longer than 247"),
    *_TOKENS,
)
WRITTEN: Rules = (
    _EMPTY,
    _SLASH,
    (r"[^A-Za-z0-9_/~{}]", "must not contain characters but alphanumerics and any of '_/~{}'"),
    (r"\{([0-9])", "substitution must not start with a number"),
    (r"\{[A-Za-z0-9_]*([^A-Za-z0-9_}])", "substitution must be of alphanumerics and '_'"),
    (r"(?:\A|\})[^{}]*(\})", "must not have unbalanced curly braces '{}'"),
    (r"(\{)[^}]*\Z", "must not have unbalanced curly braces '{}'"),
    (r".(~)", "must not have tilde '~' unless it is first"),
    (r"\A~([^/])", "must not have tilde '~' followed by anything but a slash"),
    *_TOKENS,
)


def _validate(name: str, rules: Rules, error: type[NameValidationException]) -> bool:
    for pattern, why in rules:
        if found := re.search(pattern, name):
            raise error(name, f"{error.name_type} {why}", found.start(found.lastindex or 0))
    return True


def validate_node_name(name: str) -> bool:
    return _validate(name, NODE, InvalidNodeNameException)


def validate_namespace(namespace: str) -> bool:
    return namespace == "/" or _validate(namespace, FULL, InvalidNamespaceException)


def validate_topic_name(name: str, *, is_service: bool = False) -> bool:
    """As a user may write it: relative, private, with substitutions."""
    error = InvalidServiceNameException if is_service else InvalidTopicNameException
    return _validate(name, WRITTEN, error)


def validate_full_topic_name(name: str, *, is_service: bool = False) -> bool:
    error = InvalidServiceNameException if is_service else InvalidTopicNameException
    return _validate(name, FULL, error)


def expand_topic_name(topic_name: str, node_name: str, node_namespace: str) -> str:
    """A topic's full name, before it is remapped."""
    validate_topic_name(topic_name)
    validate_node_name(node_name)
    validate_namespace(node_namespace)
    return expand(topic_name, node_name, node_namespace)


def expand(name: str, node: str, namespace: str) -> str:
    """~/image -> /ns/node/image; image -> /ns/image."""
    base = "" if namespace == "/" else namespace
    known = {"node": node, "ns": base or "/", "namespace": base or "/"}

    def replaced(found: re.Match[str]) -> str:
        if found[1] not in known:
            raise InvalidTopicNameException(name, f"unknown substitution {found[0]}", found.start())
        return known[found[1]]

    text = re.sub(r"\{([^{}]*)\}", replaced, name)
    if text.startswith("~"):
        text = f"{base}/{node}{text[1:]}"
    elif not text.startswith("/"):
        text = f"{base}/{text}"
    return re.sub(r"/+", "/", text)
