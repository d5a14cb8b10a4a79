"""The episode log as a LeRobotDataset (codebase_version v3.0), for LeRobot's policies and tools.

Our `Episode` keeps an observation beside the action that led to it, LeRobot beside the action
taken next. So row t there holds observation t, our action t + 1 and its reward, and an episode of
T actions has T rows: the final observation has no row in LeRobot's convention and is not exported.
Frames are PNGs inside the parquet files: pixels stay exact, and no video codec is needed.
"""

from __future__ import annotations

import json
import os
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from policy.contract import Interface, differences

from ..episode import Driver, Episode
from ..errors import ExperienceError, ForeignError, storage_error
from ..log.index import Entry, open_index
from ..log.reader import read_episode, read_summary
from .schema import PLACE, Features, column, data_schema, episodes_schema, features_of
from .stats import Array, Stats, flat, merge, stats_of

FILES_A_CHUNK = 1000
FILE_MB = 100  # a data file is closed before an episode that would make it larger
EPISODES_A_WRITE = 100
DATA = "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"
EPISODES = "meta/episodes/chunk-000/file-000.parquet"


def export(directory: Path, out: Path, *, task: str | None = None) -> Path:
    """Write every episode of the log in `directory` to a new dataset at `out`; returns `out`.

    `task` is the instruction of all episodes; without it, each keeps its own. `next.done` marks
    the last row of an episode and `next.truncated` those that only ran out of time.
    `next.success`, true in the last row of a success, is there if every episode has a label.
    Timestamps are nominal, frame_index / fps, as LeRobot wants them. Episodes without an action
    are left out; a log with damaged files is refused. `out` appears once it is complete.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ExperienceError(
            f"{out}: found something there already, wanted nothing or an empty directory; "
            "choose another place or remove it"
        )
    entries = _entries(directory)
    interface = _interface(entries)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{out.name}-", dir=out.parent) as workshop:
            root = Path(workshop) / "dataset"
            try:
                _write(root, entries, interface, task)
            except OSError as error:  # told while what filled the disk is still there
                raise storage_error("export to", out, error) from error
            os.replace(root, out)
    except OSError as error:
        raise storage_error("export to", out, error) from error
    return out


def _entries(directory: Path) -> list[Entry]:
    with open_index(directory) as index:
        entries, problems = [entry for entry in index if entry.steps], index.problems
    if problems:
        raise ExperienceError(
            f"{directory}: found {len(problems)} unreadable file(s), wanted none; "
            "mend or remove them:\n  " + "\n  ".join(problems)
        )
    if not entries:
        raise ExperienceError(f"{directory}: found no episode with an action; record one")
    return entries


def _interface(entries: list[Entry]) -> Interface:
    """The one interface of all episodes: every row of a dataset has the same features."""
    first, wanted = entries[0].path, _interface_of(entries[0].path)
    for entry in entries[1:]:
        found = _interface_of(entry.path)
        if differing := differences(found, wanted, "export it apart"):
            told = "\n  ".join(map(str, differing))
            raise ExperienceError(f"{entry.path}: another interface than {first.name}:\n  {told}")
    for image in wanted.observation.images:
        if image.channels != 3 or "/" in image.name:
            raise ExperienceError(
                f"{first}: camera {image.name}: found {image.channels} channel(s), wanted 3, and "
                "a name without '/', as LeRobot does; convert the episodes first"
            )
    return wanted


def _interface_of(path: Path) -> Interface:
    info = read_summary(path).info
    if info is None:
        raise ForeignError(f"{path}: found no /episode/info, wanted one; remove the file")
    return info.interface


def _write(root: Path, entries: list[Entry], interface: Interface, task: str | None) -> None:
    rate = 1.0 / interface.control_period_s
    fps = round(rate) if abs(rate - round(rate)) < 1e-6 * rate else rate
    features = features_of(interface, all(entry.success is not None for entry in entries))
    tasks: dict[str, int] = {}
    total: dict[str, Stats] = {}
    rows: list[dict[str, Any]] = []
    start = 0
    (root / EPISODES).parent.mkdir(parents=True)
    schema = episodes_schema(features)
    with _DataFiles(root, features) as data, pq.ParquetWriter(root / EPISODES, schema) as table:
        for number, entry in enumerate(entries):
            episode = read_episode(entry.path)
            name, length = entry.task if task is None else task, len(episode)
            columns = _columns(episode, fps, bool(entry.success)) | {
                "episode_index": np.full(length, number),
                "index": np.arange(start, start + length),
                "task_index": np.full(length, tasks.setdefault(name, len(tasks))),
            }
            stats = {key: stats_of(columns[key]) for key in features}
            total = {key: merge(total[key], s) if total else s for key, s in stats.items()}
            chunk, file = data.write(columns)
            place = (number, length, chunk, file, start, start + length, 0, 0)
            row = dict(zip(PLACE, place, strict=True))
            rows.append({**row, "tasks": [name], **flat(stats)})
            if len(rows) == EPISODES_A_WRITE or number == len(entries) - 1:
                table.write_table(pa.Table.from_pylist(rows, schema))
                rows = []
            start += length
    _write_tasks(root / "meta/tasks.parquet", list(tasks))
    plain = {key: {kind: v.tolist() for kind, v in s.items()} for key, s in total.items()}
    _write_json(root / "meta/stats.json", plain)
    cells = {entry.cell_id for entry in entries}
    info = {
        "codebase_version": "v3.0",
        "robot_type": (cells.pop() or None) if len(cells) == 1 else None,
        "total_episodes": len(entries),
        "total_frames": start,
        "total_tasks": len(tasks),
        "chunks_size": FILES_A_CHUNK,
        "data_files_size_in_mb": FILE_MB,
        "video_files_size_in_mb": 200,  # LeRobot reads it, though there are none
        "fps": fps,
        "splits": {"train": f"0:{len(entries)}"},
        "data_path": DATA,
        "video_path": None,
        "features": features,
    }
    _write_json(root / "meta/info.json", info)


def _columns(episode: Episode, fps: float, succeeded: bool) -> dict[str, Array]:
    """What an episode alone says, in LeRobot's shift: (T, H, W, 3) frames, (T, n) or (T,)."""
    frame = np.arange(len(episode))
    last = frame == len(episode) - 1
    return {
        **{f"observation.images.{name}": f[:-1] for name, f in episode.images.items()},
        "observation.state": episode.proprio[:-1],
        "action": episode.executed[1:],
        "next.reward": episode.reward[1:],
        "next.done": last,
        "next.truncated": last & episode.truncated,
        "next.success": last & succeeded,
        "intervention": episode.driver[1:] == Driver.HUMAN,
        "timestamp": (frame / fps).astype(np.float32),
        "frame_index": frame,
    }


class _DataFiles:
    """Writes whole episodes, one row group each, beginning a new file where one grows too large."""

    def __init__(self, root: Path, features: Features) -> None:
        self._root, self._schema = root, data_schema(features)
        self._number, self._bytes = -1, 0
        self._open = ExitStack()
        self._writer: Any = None

    def write(self, columns: dict[str, Array]) -> tuple[int, int]:
        """Append an episode; returns the chunk and file it went to."""
        arrays = [column(columns[field.name], field.type) for field in self._schema]
        table = pa.Table.from_arrays(arrays, schema=self._schema)
        if self._writer is None or self._bytes + table.nbytes > FILE_MB << 20:
            self._open.close()
            self._number, self._bytes = self._number + 1, 0
            chunk, file = divmod(self._number, FILES_A_CHUNK)
            path = self._root / DATA.format(chunk_index=chunk, file_index=file)
            path.parent.mkdir(parents=True, exist_ok=True)
            self._writer = self._open.enter_context(pq.ParquetWriter(path, self._schema))
        self._writer.write_table(table)
        self._bytes += table.nbytes
        return divmod(self._number, FILES_A_CHUNK)

    def __enter__(self) -> _DataFiles:
        return self

    def __exit__(self, *error: object) -> None:
        self._open.close()


def _write_tasks(path: Path, tasks: list[str]) -> None:
    """LeRobot finds a task by its place, and its text in what pandas knows as the index."""
    columns = [("task_index", "int64", "int64"), ("task", "unicode", "object")]
    pandas = {
        "index_columns": ["task"],
        "column_indexes": [],
        "columns": [
            {"name": n, "field_name": n, "pandas_type": p, "numpy_type": t, "metadata": None}
            for n, p, t in columns
        ],
    }
    table = pa.table({"task_index": pa.array(range(len(tasks)), pa.int64()), "task": tasks})
    pq.write_table(table.replace_schema_metadata({"pandas": json.dumps(pandas)}), path)


def _write_json(path: Path, data: dict[str, Any]) -> None:
    path.write_text(json.dumps(data, indent=4, ensure_ascii=False), encoding="utf-8")
