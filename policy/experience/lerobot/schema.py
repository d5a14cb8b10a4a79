"""LeRobot's features, and the parquet types that hold them."""

from __future__ import annotations

import json
from typing import Any

import cv2
import numpy as np
import pyarrow as pa

from policy.contract import Interface

from ..episode import Frame
from ..errors import ExperienceError
from .stats import STATISTICS, Array

Features = dict[str, dict[str, Any]]

PLACE = (
    *("episode_index", "length", "data/chunk_index", "data/file_index"),
    *("dataset_from_index", "dataset_to_index"),
    *("meta/episodes/chunk_index", "meta/episodes/file_index"),
)
IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def features_of(interface: Interface, labelled: bool) -> Features:
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
    success = ("next.success",) if labelled else ()
    flags = ("next.done", "next.truncated", *success, "intervention")
    features |= {name: feature("bool", [1]) for name in flags}
    features["timestamp"] = feature("float32", [1])
    counters = ("frame_index", "episode_index", "index", "task_index")
    return features | {name: feature("int64", [1]) for name in counters}


def data_schema(features: Features) -> Any:
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


def episodes_schema(features: Features) -> Any:
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


def column(values: Array, type_: Any) -> Any:
    if type_ == IMAGE:
        frames = ((_png(frame), f"frame-{k:06d}.png") for k, frame in enumerate(values))
        return pa.array([{"bytes": data, "path": name} for data, name in frames], IMAGE)
    flat = pa.array(np.ascontiguousarray(values).reshape(-1))
    if pa.types.is_fixed_size_list(type_):
        return pa.FixedSizeListArray.from_arrays(flat, type=type_)
    return flat


def _png(frame: Frame) -> bytes:
    done, data = cv2.imencode(".png", cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
    if not done:
        raise ExperienceError(f"found a frame {frame.shape} that OpenCV cannot encode, wanted RGB")
    return data.tobytes()
