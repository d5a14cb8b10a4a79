"""Read and write cell files: YAML, typed, checked, every fault named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from policy.contract import ContractError, Problem, decode, encode
from policy.contract.files import write_atomic

from .cell import Cell
from .geometry import problems


class UniqueKeys(yaml.SafeLoader):
    """YAML lets a repeated key silently win over the first; here it is an error."""


def _mapping(loader: UniqueKeys, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: set[Any] = set()
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode):
            continue  # no key at all: construct_mapping says so
        name = loader.construct_object(key)
        if name in seen:
            where = f"line {key.start_mark.line + 1}"
            problem = Problem(str(name), f"a second time at {where}", "each key once", "remove one")
            raise ContractError(str(key.start_mark.name), [problem])
        seen.add(name)
    return loader.construct_mapping(node)


def _date(loader: UniqueKeys, node: yaml.ScalarNode) -> str:
    """Still text: `decode` makes the date, and names the field if no calendar has that day."""
    return str(loader.construct_scalar(node))


UniqueKeys.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)
UniqueKeys.add_constructor("tag:yaml.org,2002:timestamp", _date)


def load_cell(path: str | Path) -> Cell:
    """Read, type-check and sanity-check a cell file; raise `ContractError` naming every fault."""
    return parse_cell(Path(path).read_bytes(), str(path))


def parse_cell(text: str | bytes, source: str) -> Cell:
    """`load_cell` of text that is not yet a file; `source` is its name in errors."""
    return _checked(parse_yaml(text, source), source)


def parse_yaml(text: str | bytes, source: str) -> Any:
    """As it stands there, unchecked but for repeated keys; dates are still text."""
    try:
        loader = UniqueKeys(text)
        loader.name = source  # what errors call it
        return loader.get_single_data()
    except yaml.YAMLError as error:
        remedy = f"mend the syntax: {' '.join(str(error).split())}"
        fault = Problem("(file)", Path(source).name, "YAML", remedy)
        raise ContractError(source, [fault]) from None


def _checked(data: object, source: str) -> Cell:
    try:
        cell = decode(Cell, data, source)
    except ValueError as error:
        if isinstance(error, ContractError):
            raise
        fault = Problem("(top level)", str(error), "a tree of keys", "remove the YAML alias")
        raise ContractError(source, [fault]) from None
    if found := list(problems(cell)):
        raise ContractError(source, found)
    return cell


def save_cell(cell: Cell, path: str | Path) -> None:
    """Write the file whole or not at all; what `load_cell` reads back equals `cell`."""
    data = encode(cell)
    _checked(data, f"the cell for {path}")  # what `load_cell` refuses is not written
    # PyYAML reads a bare U+0085 back as a blank; escaped, it survives.
    plain = "\x85" not in json.dumps(data, ensure_ascii=False)
    text = yaml.safe_dump(data, sort_keys=False, allow_unicode=plain, width=100)
    write_atomic(Path(path), text.encode())
