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
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from policy.contract import Interface, encode

from .episode import Driver, Episode, Frame
from .errors import ExperienceError, ForeignError, storage_error
from .index import Entry, open_index
from .reader import read_episode, read_summary

try:
    import pyarrow as pa
    import pyarrow.parquet as pq
except ImportError as error:
    raise ExperienceError(
        "LeRobot export: found no pyarrow, wanted 17 or later; pip install 'regrasp[lerobot]'"
    ) from error

Array = npt.NDArray[Any]
Features = dict[str, dict[str, Any]]
Stats = dict[str, Array]

FILES_A_CHUNK = 1000
FILE_MB = 100  # a data file is closed before an episode that would make it larger
EPISODES_A_WRITE = 100
DATA = "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"
EPISODES = "meta/episodes/chunk-000/file-000.parquet"
PLACE = (
    *("episode_index", "length", "data/chunk_index", "data/file_index"),
    *("dataset_from_index", "dataset_to_index"),
    *("meta/episodes/chunk_index", "meta/episodes/file_index"),
)
IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
PIXEL = np.arange(256) / 255.0  # LeRobot's statistics count pixels from 0 to 1
QUANTILES = {"q01": 0.01, "q10": 0.1, "q50": 0.5, "q90": 0.9, "q99": 0.99}
STATISTICS = ("min", "max", "mean", "std", "count", *QUANTILES)


def export(directory: Path, out: Path, *, task: str | None = None) -> Path:
    """Write every episode of the log in `directory` to a new dataset at `out`; returns `out`.

    `task` is the instruction of all episodes; without it, each keeps its own. `next.done` marks
    the last row of an episode and `next.truncated` those that only ran out of time.
    `next.success`, true in the last row of a success, is there if every episode has a label.
    Timestamps are nominal, frame_index / fps, as LeRobot wants them. Episodes without an action
    are left out. `out` appears once it is complete.
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
            _write(root, entries, interface, task)
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
        if found != wanted:
            theirs, ours = dict(_leaves(encode(found))), dict(_leaves(encode(wanted)))
            differing = [
                f"{name}: found {theirs.get(name, 'nothing')}, wanted {ours.get(name, 'nothing')}"
                for name in ours | theirs
                if theirs.get(name, "nothing") != ours.get(name, "nothing")
            ]
            raise ExperienceError(
                f"{entry.path}: another interface than {first.name}; export them apart:\n  "
                + "\n  ".join(differing)
            )
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


def _leaves(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """The values in nested plain data, each by its dotted path."""
    if isinstance(value, (dict, list)):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _leaves(inner, f"{name}.{key}" if name else str(key))
    else:
        yield name, value


def _write(root: Path, entries: list[Entry], interface: Interface, task: str | None) -> None:
    rate = 1.0 / interface.control_period_s
    fps = round(rate) if abs(rate - round(rate)) < 1e-6 * rate else rate
    features = _features(interface, all(entry.success is not None for entry in entries))
    tasks: dict[str, int] = {}
    total: dict[str, Stats] = {}
    start = 0
    rows: list[dict[str, Any]] = []
    (root / EPISODES).parent.mkdir(parents=True)
    schema = _episodes_schema(features)
    with _DataFiles(root, features) as data, pq.ParquetWriter(root / EPISODES, schema) as table:
        for number, entry in enumerate(entries):
            episode = read_episode(entry.path)
            name, length = entry.task if task is None else task, len(episode)
            columns = _columns(episode, fps, bool(entry.success)) | {
                "episode_index": np.full(length, number),
                "index": np.arange(start, start + length),
                "task_index": np.full(length, tasks.setdefault(name, len(tasks))),
            }
            stats = {key: _stats(columns[key]) for key in features}
            total = {key: _merge(total[key], s) if total else s for key, s in stats.items()}
            chunk, file = data.write(columns)
            place = (number, length, chunk, file, start, start + length, 0, 0)
            row = dict(zip(PLACE, place, strict=True))
            rows.append({**row, "tasks": [name], **_flat(stats)})
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


def _features(interface: Interface, labelled: bool) -> Features:
    """Each column's dtype, shape and names, in LeRobot's terms."""

    def feature(dtype: str, shape: list[int], names: list[str] | None = None) -> dict[str, Any]:
        return {"dtype": dtype, "shape": shape, "names": names}

    spec = interface.observation
    features = {
        f"observation.images.{image.name}": feature(
            "image", list(image.shape), ["height", "width", "channels"]
        )
        for image in spec.images
    }
    if spec.proprio:
        names = [entry.name for entry in spec.proprio]
        features["observation.state"] = feature("float32", [len(names)], names)
    names = interface.action.names
    features["action"] = feature("float32", [len(names)], names)
    features["next.reward"] = feature("float32", [1])
    flags = ["next.done", "next.truncated", "next.success", "intervention"]
    features |= {name: feature("bool", [1]) for name in flags if labelled or name != flags[2]}
    features["timestamp"] = feature("float32", [1])
    counters = ("frame_index", "episode_index", "index", "task_index")
    return features | {name: feature("int64", [1]) for name in counters}


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
        self._root, self._schema = root, _data_schema(features)
        self._number, self._bytes = -1, 0
        self._open = ExitStack()
        self._writer: Any = None

    def write(self, columns: dict[str, Array]) -> tuple[int, int]:
        """Append an episode; returns the chunk and file it went to."""
        arrays = [_array(columns[field.name], field.type) for field in self._schema]
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


def _data_schema(features: Features) -> Any:
    """Arrow's types, and beside them what `datasets` needs to see a PNG as an image."""
    fields, described = [], {}
    for name, feature in features.items():
        kind, size = feature["dtype"], feature["shape"][0]
        if kind == "image":
            fields.append((name, IMAGE))
            described[name] = {"_type": "Image"}
            continue
        value: dict[str, Any] = {"dtype": kind, "_type": "Value"}
        one = pa.type_for_alias(kind)
        # A vector of one entry is a plain number to LeRobot.
        fields.append((name, one if size == 1 else pa.list_(one, size)))
        many = {"feature": value, "length": size, "_type": "List"}
        described[name] = value if size == 1 else many
    text = json.dumps({"info": {"features": described}})
    return pa.schema(fields, metadata={"huggingface": text})


def _episodes_schema(features: Features) -> Any:
    fields = [(name, pa.int64()) for name in PLACE]
    fields.insert(1, ("tasks", pa.list_(pa.string())))
    for name, feature in features.items():
        kind = feature["dtype"]
        extreme = pa.type_for_alias({"image": "double", "float32": "double"}.get(kind, kind))
        types = {"min": extreme, "max": extreme, "count": pa.int64()}
        for statistic in STATISTICS:
            of = pa.list_(types.get(statistic, pa.float64()))
            if kind == "image" and statistic != "count":
                of = pa.list_(pa.list_(of))
            fields.append((f"stats/{name}/{statistic}", of))
    return pa.schema(fields)


def _array(values: Array, type_: Any) -> Any:
    if type_ == IMAGE:
        frames = enumerate(values)
        return pa.array(
            [{"bytes": _png(f), "path": f"frame-{k:06d}.png"} for k, f in frames], IMAGE
        )
    flat = pa.array(np.ascontiguousarray(values).reshape(-1))
    if pa.types.is_fixed_size_list(type_):
        return pa.FixedSizeListArray.from_arrays(flat, type=type_)
    return flat


def _png(frame: Frame) -> bytes:
    done, data = cv2.imencode(".png", cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
    if not done:
        raise ExperienceError(f"found a frame {frame.shape} that OpenCV cannot encode, wanted RGB")
    return data.tobytes()


def _stats(values: Array) -> Stats:
    """Over one episode: by entry for vectors, by channel and from 0 to 1 for frames."""
    count = np.array([len(values)])
    if values.ndim < 4:
        values = values.reshape(len(values), -1)
        real = values.astype(np.float64)
        quantiles = {
            name: np.quantile(real, q, 0, method="inverted_cdf") for name, q in QUANTILES.items()
        }
        least, most, mean, std = values.min(0), values.max(0), real.mean(0), real.std(0)
        return {"min": least, "max": most, "mean": mean, "std": std, "count": count, **quantiles}
    # A histogram says all there is to say about bytes, and needs no copy of the frames as floats.
    shares = np.zeros((3, 256))
    for frame in values:
        shares += [np.bincount(frame[..., c].reshape(-1), minlength=256) for c in range(3)]
    shares /= shares.sum(1, keepdims=True)
    reached, mean = shares.cumsum(1), shares @ PIXEL
    found = {
        "min": PIXEL[(shares > 0).argmax(1)],
        "max": PIXEL[255 - (shares[:, ::-1] > 0).argmax(1)],
        "mean": mean,
        "std": np.sqrt((shares * (PIXEL - mean[:, None]) ** 2).sum(1)),
        **{name: PIXEL[(reached >= q).argmax(1)] for name, q in QUANTILES.items()},
    }
    return {"count": count} | {name: v.reshape(3, 1, 1) for name, v in found.items()}


def _merge(a: Stats, b: Stats) -> Stats:
    """Over both: exact but for the quantiles, which LeRobot averages over episodes as well."""
    count = a["count"] + b["count"]
    share = float(b["count"][0] / count[0])
    merged = {name: (1 - share) * a[name] + share * b[name] for name in ("mean", *QUANTILES)}
    between = share * (1 - share) * (b["mean"] - a["mean"]) ** 2
    merged["std"] = np.sqrt((1 - share) * a["std"] ** 2 + share * b["std"] ** 2 + between)
    least, most = np.minimum(a["min"], b["min"]), np.maximum(a["max"], b["max"])
    return {"min": least, "max": most, "count": count, **merged}


def _flat(stats: dict[str, Stats]) -> dict[str, Any]:
    return {f"stats/{key}/{k}": v.tolist() for key, s in stats.items() for k, v in s.items()}


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
