"""From substitutions to values: text, and text read as a type."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, get_args, get_origin

import yaml

from .left_out import left_out
from .substitution import (
    Substitution,
    normalize_to_list_of_substitutions,
    perform_substitutions,
    resolve,
)

__all__ = [
    "coerce",
    "is_substitution",
    "normalize_to_list_of_substitutions",
    "perform_substitutions",
    "resolve",
    "typed",
    "uniform",
]

SCALARS = (bool, int, float, str)
TRUTHS = {"true": True, "1": True, "false": False, "0": False}


def is_substitution(value: object) -> bool:
    """Whether it makes one text: a Substitution, or a list of text with at least one in it."""
    if isinstance(value, Substitution):
        return True
    return (
        isinstance(value, (list, tuple))
        and all(isinstance(item, (str, Substitution)) for item in value)
        and any(isinstance(item, Substitution) for item in value)
    )


def uniform(items: Sequence[object]) -> bool:
    """Whether this can be a parameter: a list that is not empty, of one scalar type."""
    return bool(items) and type(items[0]) in SCALARS and len({type(item) for item in items}) == 1


def coerce(text: str, wanted: Any = None) -> Any:
    """`text` as a `wanted`: bool, int, float, str, a List of one of them, or as YAML reads it."""
    if wanted is str or (wanted is None and not text):
        return text
    if wanted in (int, float):
        return wanted(text)
    if wanted is bool and text in ("0", "1"):
        return text == "1"
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(f"{text!r} is not YAML: {error}") from error
    if wanted is None:
        fits = isinstance(value, SCALARS) or (isinstance(value, list) and uniform(value))
    elif get_origin(wanted) is list:
        (item,) = get_args(wanted)
        fits = isinstance(value, list) and all(isinstance(one, item) for one in value)
    else:
        fits = isinstance(value, wanted)
    if not fits:
        kind = wanted or "bool, int, float, str, or a list of one of them"
        raise ValueError(f"{text!r} is not a {kind}: YAML reads {value!r}")
    return value


def typed(context: Any, value: Any, wanted: type) -> Any:
    """A scalar as it is, a substitution performed and read as a `wanted`."""
    if isinstance(value, SCALARS) and not isinstance(value, str):
        return wanted(value)
    return coerce(resolve(context, value), wanted)


__getattr__ = left_out(__name__)
