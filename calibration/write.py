"""Put measured values into a cell file; all else in it, comments too, stays as it was written."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from policy.contract import Invalid
from policy.contract.files import write_atomic

from .cell import Cell
from .cellfile import UniqueKeys, parse_cell, parse_yaml
from .measured import Measured

DIGITS = 9  # a nanometre of a metre: what is behind them was never measured
Value = Measured[Any] | str | Mapping[str, Any]
Edit = tuple[int, int, str]  # from and to in the text, and what comes there


def write(path: str | Path, values: Mapping[str, Value]) -> Cell:
    """Set each value by its dotted key (`cameras.front.focal`) and return the new cell. A key may
    name a group (`cameras.front.pose`: a mapping of values), and keys that are missing are added.
    The file is replaced whole, and only if `load_cell` takes what it then says."""
    path = Path(path).resolve()  # of a link, the file it points to
    text, source, wanted = path.read_bytes().decode(), str(path), _tree(values)
    expected = _merged(parse_yaml(text, source), wanted)
    root = yaml.compose(text, UniqueKeys) or yaml.MappingNode("", [])
    changed = _apply(text, _edits(text, root, wanted, _aliased(root)))
    cell = parse_cell(changed, source)
    if _text(parse_yaml(changed, source)) != _text(expected):
        keys, remedy = ", ".join(values), "write them as {value: ..., unit: ...} on one line"
        raise Invalid(source, "YAML in a rare style", f"one in which {keys} can be set", remedy)
    write_atomic(path, changed.encode())
    return cell


def measured(value: Any, unit: str, method: str, residual: float) -> Measured[Any]:
    """Of today; an array becomes a tuple."""
    if isinstance(value, np.ndarray):
        value = tuple(value.tolist())
    return Measured(value, unit, method, datetime.date.today(), residual)


def _tree(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values as nested plain data."""
    tree: dict[str, Any] = {}
    for key, value in values.items():
        *parents, last = key.split(".")
        node = tree
        for parent in parents:
            node = node.setdefault(parent, {})
        if isinstance(value, Measured):
            node[last] = {one.name: _plain(getattr(value, one.name)) for one in fields(value)}
        else:
            node[last] = _tree(value) if isinstance(value, Mapping) else value
    return tree


def _plain(value: Any) -> Any:
    if isinstance(value, (tuple, list)):
        return [_plain(one) for one in value]
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value


def _merged(data: Any, wanted: Any) -> Any:
    """What the file has to say afterwards."""
    if not (isinstance(data, dict) and isinstance(wanted, dict)):
        return wanted
    return {**data, **{key: _merged(data.get(key), value) for key, value in wanted.items()}}


def _text(data: Any) -> str:
    return json.dumps(data, default=str)  # of a date, as it is written


def _apply(text: str, edits: Iterator[Edit]) -> str:
    pieces, at = [], 0
    for start, end, new in sorted(edits, key=lambda edit: edit[0]):
        pieces += [text[at:start], new]
        at = end
    return "".join([*pieces, text[at:]])


def _edits(
    text: str, node: yaml.Node, wanted: Any, aliased: set[int], name: str = "", column: int = 0
) -> Iterator[Edit]:
    """What to change so that `node`, whose key stands at `column`, says `wanted`: as little as
    can be."""
    if id(node) in aliased:
        raise Invalid(name, "a YAML alias", "a value of its own", "write it out wherever it stands")
    if isinstance(node, yaml.MappingNode) and isinstance(wanted, dict):
        held = {key.value: (key.start_mark.column, value) for key, value in node.value}
        for key, (at, value) in held.items():
            if key in wanted:
                below = f"{name}.{key}" if name else key
                yield from _edits(text, value, wanted[key], aliased, below, at)
        if added := {key: value for key, value in wanted.items() if key not in held}:
            yield _addition(text, node, added)
    elif isinstance(node, yaml.SequenceNode) and _as_long(node, wanted):
        for one, value in zip(node.value, wanted, strict=True):
            yield from _edits(text, one, value, aliased, name, column)
    elif isinstance(node, yaml.ScalarNode) and _says(text, node) == _text(wanted):
        return
    elif isinstance(node, yaml.SequenceNode) and not node.flow_style:
        # Its dashes may stand right below the key; a list in brackets may not.
        yield node.start_mark.index, _end(node), f"  {_flow(wanted)}"
    elif _end(node) > node.start_mark.index:
        yield node.start_mark.index, _end(node), _written(wanted, column).lstrip(" ")
    else:  # `key:` with nothing behind it
        yield node.start_mark.index, node.start_mark.index, _written(wanted, column)


def _says(text: str, node: yaml.ScalarNode) -> str:
    return _text(yaml.load(text[node.start_mark.index : _end(node)], UniqueKeys))


def _as_long(node: yaml.SequenceNode, wanted: Any) -> bool:
    return isinstance(wanted, list) and len(wanted) == len(node.value)


def _addition(text: str, node: yaml.MappingNode, added: dict[str, Any]) -> Edit:
    """New keys at the mapping's end, written as its others are."""
    if node.flow_style or not node.value:
        at = node.end_mark.index - 1  # before the brace
        return at, at, (", " if node.value else "") + _flow(added)[1:-1]
    column = node.value[0][0].start_mark.column
    line_end = text.find("\n", _end(node))
    at = len(text) if line_end < 0 else line_end  # behind the line's comment
    return at, at, _block(added, column)


def _end(node: yaml.Node) -> int:
    """Behind its last character: a block's own mark lies behind the comments that follow it."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _end(last[1] if isinstance(last, tuple) else last)
    return int(node.end_mark.index)


def _written(value: Any, column: int) -> str:
    """What stands behind a key's colon: a group of values line by line, all else on one line."""
    if isinstance(value, dict) and any(isinstance(below, dict) for below in value.values()):
        return _block(value, column + 2)
    return f" {_flow(value)}"


def _block(values: dict[str, Any], column: int) -> str:
    lines = [f"{' ' * column}{key}:{_written(value, column)}" for key, value in values.items()]
    return "".join(f"\n{line}" for line in lines)


def _flow(value: Any) -> str:
    # As an element of a list, so that a text is quoted if it holds what ends an element.
    text = yaml.safe_dump([value], default_flow_style=True, sort_keys=False, width=1 << 20)
    return text.strip()[1:-1]


def _aliased(root: yaml.Node) -> set[int]:
    """The nodes that are used more than once."""
    seen: set[int] = set()
    again: set[int] = set()

    def visit(node: yaml.Node) -> None:
        (again if id(node) in seen else seen).add(id(node))
        if isinstance(node, yaml.CollectionNode) and id(node) not in again:
            for below in node.value:
                for one in below if isinstance(below, tuple) else (below,):
                    visit(one)

    visit(root)
    return again
