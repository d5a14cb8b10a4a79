"""Strict decoding of plain data into frozen dataclasses, and the error that names every fault.

Policy cards (JSON) and cell files (YAML) are both read through `decode`: unknown keys, missing
keys, wrong types and non-finite numbers are all refused, all of them at once, each by its path.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from typing import Any, NoReturn, TypeVar, cast, get_args, get_origin, get_type_hints

from pydantic import ConfigDict, TypeAdapter, ValidationError

T = TypeVar("T")


@dataclass(frozen=True)
class Problem:
    """One fault, in the four parts a person needs to mend it."""

    field: str
    found: object
    wanted: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.field}: found {_brief(self.found)}, wanted {self.wanted}; {self.remedy}"


class ContractError(ValueError):
    """Raised with every `Problem` found in one source, never only the first."""

    def __init__(self, source: str, problems: list[Problem] | tuple[Problem, ...]) -> None:
        self.source, self.problems = source, tuple(problems)
        count = f"{len(self.problems)} problem" + ("s" if len(self.problems) > 1 else "")
        super().__init__("\n  ".join([f"{source}: {count}", *map(str, self.problems)]))

    def __reduce__(self) -> tuple[type[ContractError], tuple[str, tuple[Problem, ...]]]:
        return type(self), (self.source, self.problems)


class Invalid(ValueError):
    """A fault raised by a dataclass's own check; `field` is relative to that dataclass."""

    def __init__(self, field: str, found: object, wanted: str, remedy: str) -> None:
        self.problem = Problem(field, found, wanted, remedy)
        super().__init__(str(self.problem))

    def __reduce__(self) -> tuple[type[Invalid], tuple[str, object, str, str]]:
        fault = self.problem
        return type(self), (fault.field, fault.found, fault.wanted, fault.remedy)


class Strict:
    """Base of every dataclass that comes from a file: nothing is guessed, nothing is ignored."""

    __pydantic_config__ = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


@cache
def adapter(cls: Any) -> TypeAdapter[Any]:
    return TypeAdapter(cls)


def decode(cls: type[T], data: object, source: str) -> T:
    """Build `cls` from parsed JSON or YAML, or raise `ContractError` naming each faulty field.

    The data goes through JSON because that is where strictness is well defined: lists become
    tuples and ISO strings become dates, yet no number is ever made out of a string.
    """
    try:
        result: T = adapter(cast(Any, cls)).validate_json(json.dumps(data, default=str))
    except ValidationError as error:
        faults = error.errors(include_url=False)
        _refuse(source, [_problem(cls, fault) for fault in faults])
    except RecursionError:
        _refuse(source, [Problem("(top level)", "data nested too deep", "a tree", "flatten it")])
    return result


def decode_json(cls: type[T], text: str, source: str) -> T:
    """`decode` of JSON text; text that is no JSON is a `ContractError` too."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        _refuse(source, [Problem("(top level)", text, "a JSON object", f"repair it ({error})")])
    return decode(cls, data, source)


def encode(value: object) -> Any:
    """The plain data `decode` takes: dicts, lists, strings, numbers."""
    return adapter(cast(Any, type(value))).dump_python(value, mode="json")


def differences(found: object, wanted: object, remedy: str) -> list[Problem]:
    """Where two values of one type differ, leaf by leaf."""
    theirs, ours = dict(_leaves(encode(found))), dict(_leaves(encode(wanted)))
    return [
        Problem(name, theirs.get(name, "nothing"), str(ours.get(name, "nothing")), remedy)
        for name in ours | theirs
        if theirs.get(name, "nothing") != ours.get(name, "nothing")
    ]


def _leaves(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """The values in nested plain data, each by its dotted path."""
    if isinstance(value, (dict, list)):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _leaves(inner, f"{name}.{key}" if name else str(key))
    else:
        yield name, value


def _refuse(source: str, problems: list[Problem]) -> NoReturn:
    raise ContractError(source, problems) from None


def _problem(cls: Any, fault: Any) -> Problem:
    path = tuple(fault["loc"])
    name = ".".join(str(part) for part in path) or "(top level)"
    found, kind = fault["input"], fault["type"]
    cause = fault.get("ctx", {}).get("error")
    if isinstance(cause, Invalid):
        inner = cause.problem
        field = ".".join(part for part in (*map(str, path), inner.field) if part)
        return Problem(field, inner.found, inner.wanted, inner.remedy)
    if kind == "unexpected_keyword_argument":
        known = _field_names(cls, path[:-1])
        near = difflib.get_close_matches(str(path[-1]), known, n=1)
        remedy = f"did you mean '{near[0]}'?" if near else "remove it or correct its name"
        return Problem(name, found, f"no such key (known: {', '.join(known)})", remedy)
    if kind == "missing":
        return Problem(name, "nothing", "a value", "add it")
    wanted = str(fault["msg"]).replace("Input should be ", "")
    return Problem(name, found, wanted, "correct the value")


def _field_names(cls: Any, path: tuple[Any, ...]) -> list[str]:
    """Follow `path` through the nested dataclasses to the field names valid at its end."""
    node = cls
    for part in path:
        node = _strip(node)
        if is_dataclass(node):
            node = _hints(cast(Any, node)).get(str(part), object)
        else:  # dict[str, X] or tuple[X, ...]: any key or index leads to the element type
            arguments = [a for a in get_args(node) if a is not Ellipsis]
            node = arguments[-1] if arguments else object
    node = _strip(node)
    return [f.name for f in fields(node)] if is_dataclass(node) else []


@cache
def _hints(cls: Any) -> dict[str, Any]:
    return get_type_hints(cls)


def _strip(node: Any) -> Any:
    """Optional[X] -> X; Generic[X] -> its dataclass."""
    arguments = [a for a in get_args(node) if a is not type(None)]
    if type(None) in get_args(node) and len(arguments) == 1:
        node = arguments[0]
    origin = get_origin(node)
    return origin if is_dataclass(origin) else node


def _brief(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
