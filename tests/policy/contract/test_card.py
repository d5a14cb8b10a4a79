"""The policy card: what goes into an ONNX file comes out, and a bad one is refused by name."""

from __future__ import annotations

import json
import math
import resource
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import hypothesis.strategies as st
import numpy as np
import onnx
import onnxruntime
import pytest
from cards import GONE, edited, make_card
from factories import INTERFACE
from hypothesis import HealthCheck, given, settings

from policy.contract import (
    ActionEntry,
    ActionSpec,
    ContractError,
    Entry,
    ImageSpec,
    Interface,
    Invalid,
    ObservationSpec,
    PolicyCard,
    Preprocessing,
    Provenance,
    SimulatedSuccess,
    read_card,
    write_card,
)
from policy.contract.card import CARD_VERSION, METADATA_KEY
from policy.contract.files import write_atomic

UNITS = ("m", "rad", "s", "m/s", "rad/s", "N", "1")
WEIGHTS = np.array([2.0, -3.0], np.float32)

finite = st.floats(allow_nan=False, allow_infinity=False)
bounds = st.lists(finite, min_size=2, max_size=2, unique=True).map(sorted)
names = st.text(min_size=1, max_size=8)
cameras = st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,7}", fullmatch=True)


@st.composite
def entries(draw: st.DrawFn, name: str) -> Entry:
    return Entry(name, draw(st.sampled_from(UNITS)), *draw(bounds))


@st.composite
def action_entries(draw: st.DrawFn, name: str) -> ActionEntry:
    low, high = draw(bounds)
    threshold = draw(st.none() | st.floats(low, high, exclude_max=True))
    return ActionEntry(name, draw(st.sampled_from(UNITS)), low, high, threshold)


@st.composite
def interfaces(draw: st.DrawFn) -> Interface:
    def some(at_least: int, of: st.SearchStrategy[str] = names) -> list[str]:
        return draw(st.lists(of, unique=True, min_size=at_least, max_size=3))

    size = st.integers(1, 5000)
    images = [
        ImageSpec(n, draw(size), draw(size), draw(st.integers(1, 4))) for n in some(0, cameras)
    ]
    observation = ObservationSpec(
        tuple(images), tuple(draw(entries(n)) for n in some(0)), draw(st.integers(0, 9))
    )
    action = ActionSpec(tuple(draw(action_entries(n)) for n in some(1)))
    period = draw(st.floats(0, exclude_min=True, allow_infinity=False))
    return Interface(observation, action, period)


@st.composite
def cards(draw: st.DrawFn) -> PolicyCard:
    interface = draw(interfaces())
    steps = []
    for image in draw(st.permutations(interface.observation.images)):
        top = draw(st.integers(0, image.height - 1))
        left = draw(st.integers(0, image.width - 1))
        height = draw(st.integers(1, image.height - top))
        width = draw(st.integers(1, image.width - left))
        how: Literal["area", "bilinear"] = draw(st.sampled_from(("area", "bilinear")))
        size = draw(st.tuples(st.integers(1, 500), st.integers(1, 500)))
        crop = (top, left, height, width)
        steps.append(Preprocessing(image.name, crop, size, how, draw(finite), draw(finite)))
    texts = st.text(max_size=12)
    data = tuple(draw(st.lists(texts, max_size=3)))
    episodes = draw(st.integers(1, 10**6))
    counted = st.builds(SimulatedSuccess, texts, st.just(episodes), st.integers(0, episodes))
    return PolicyCard(
        draw(texts),
        draw(texts),
        interface,
        tuple(steps),
        Provenance(draw(texts), draw(texts), data, draw(st.integers()), draw(texts)),
        draw(st.none() | counted),
    )


def doubling_model() -> Any:
    """y = x * WEIGHTS, with metadata of its own."""
    helper = onnx.helper
    weights = onnx.numpy_helper.from_array(WEIGHTS, "weights")
    graph = helper.make_graph(
        [helper.make_node("Mul", ["x", "weights"], ["y"])],
        "tiny",
        [helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [2])],
        [helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [2])],
        [weights],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    helper.set_model_props(model, {"author": "somebody", "licence": "Apache-2.0"})
    return model


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "policy.onnx"
    onnx.save(doubling_model(), str(path))
    return path


def put_text(model: Path, text: str) -> None:
    """Write `text` where the card belongs, as another program might."""
    loaded = onnx.load(str(model))
    onnx.helper.set_model_props(loaded, {METADATA_KEY: text})
    onnx.save(loaded, str(model))


def run(model: Path) -> Any:
    session = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])
    [result] = session.run(None, {"x": np.array([10.0, 100.0], np.float32)})
    return result


@given(cards())
def test_json_round_trip(card: PolicyCard) -> None:
    text = card.to_json()
    again = PolicyCard.from_json(text)
    assert again == card
    assert again.to_json() == text


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cards())
def test_onnx_round_trip(model: Path, card: PolicyCard) -> None:
    """Each example replaces the card of the one before, in the same file."""
    write_card(model, card)
    assert read_card(model) == card
    loaded = onnx.load(str(model))
    assert sorted(p.key for p in loaded.metadata_props) == ["author", "licence", METADATA_KEY]
    del loaded.metadata_props[:]
    bare = doubling_model()
    del bare.metadata_props[:]
    assert loaded == bare


def test_onnxruntime_sees_the_card_and_runs_the_model(model: Path) -> None:
    before = run(model)
    write_card(model, make_card())
    session = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])
    metadata = session.get_modelmeta().custom_metadata_map
    assert metadata["author"] == "somebody"
    assert metadata["licence"] == "Apache-2.0"
    assert PolicyCard.from_json(metadata[METADATA_KEY]) == make_card()
    np.testing.assert_array_equal(run(model), before)
    np.testing.assert_array_equal(before, [20.0, -300.0])


def test_weights_in_a_file_of_their_own_stay_there(tmp_path: Path) -> None:
    path = tmp_path / "policy.onnx"
    onnx.save(
        doubling_model(),
        str(path),
        save_as_external_data=True,
        location="policy.weights",
        size_threshold=0,
    )
    weights = (tmp_path / "policy.weights").read_bytes()
    write_card(path, make_card())
    assert read_card(path) == make_card()
    assert (tmp_path / "policy.weights").read_bytes() == weights
    assert WEIGHTS.tobytes() not in path.read_bytes()
    np.testing.assert_array_equal(run(path), [20.0, -300.0])


def test_any_file_name_holds_the_same_format(tmp_path: Path) -> None:
    for name in ("policy", "policy.json", "policy.textproto"):
        path = tmp_path / name
        path.write_bytes(doubling_model().SerializeToString())
        write_card(path, make_card())
        assert read_card(path) == make_card()


# --- what is not an ONNX file with a card -----------------------------------------------------


def test_every_truncation_is_refused(model: Path) -> None:
    write_card(model, make_card())
    whole = model.read_bytes()
    for length in [*range(0, len(whole), 5), len(whole) - 1]:
        model.write_bytes(whole[:length])
        with pytest.raises(ContractError, match=r"policy\.onnx: 1 problem"):
            read_card(model)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_damaged_file_is_refused_or_still_has_a_card(model: Path, data: st.DataObject) -> None:
    write_card(model, make_card())
    whole = bytearray(model.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    damaged = model.with_name("damaged.onnx")
    damaged.write_bytes(whole)
    try:
        card = read_card(damaged)
    except ContractError:
        return
    assert isinstance(card, PolicyCard)


@pytest.mark.parametrize(
    "content",
    [b"", b"# notes\n\nNot a model.\n", b"\x89PNG\r\n\x1a\n", b"PK\x03\x04", bytes(range(256)) * 4],
    ids=["empty", "text", "png", "zip", "noise"],
)
def test_another_kind_of_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "policy.onnx"
    path.write_bytes(content)
    for access in (lambda: read_card(path), lambda: write_card(path, make_card())):
        with pytest.raises(ContractError) as refused:
            access()
        [problem] = refused.value.problems
        assert (problem.field, problem.wanted) == ("file", "an ONNX model")
        assert "export or copy it again" in problem.remedy
    assert path.read_bytes() == content


def test_a_model_without_a_card(model: Path) -> None:
    with pytest.raises(ContractError) as refused:
        read_card(model)
    [problem] = refused.value.problems
    assert problem.field == f"metadata.{METADATA_KEY}"
    assert problem.found == ["author", "licence"]
    assert "export" in problem.remedy


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"none\.onnx"):
        read_card(tmp_path / "none.onnx")


# --- cards that are refused -------------------------------------------------------------------

FAULTS = [
    ("card_version", CARD_VERSION + 1, "card_version", "export the policy again"),
    ("nmae", "x", "nmae", "did you mean 'name'?"),
    ("interface.action.entries.0.lwo", 0.0, "interface.action.entries.0.lwo", "mean 'low'?"),
    ("provenance.sede", 1, "provenance.sede", "did you mean 'seed'?"),
    ("success.colour", "red", "success.colour", "known: environment, episodes, successes"),
    ("cell_id", GONE, "cell_id", "found 'nothing', wanted a value; add it"),
    ("interface.action", GONE, "interface.action", "add it"),
    ("interface.control_period_s", math.nan, "interface.control_period_s", "a finite number"),
    (
        "interface.action.entries.0.high",
        math.inf,
        "interface.action.entries.0.high",
        "a finite number",
    ),
    ("interface.control_period_s", "0.2", "interface.control_period_s", "a valid number"),
    ("interface.control_period_s", 0, "interface.control_period_s", "more than 0"),
    ("provenance.seed", "7", "provenance.seed", "a valid integer"),
    ("provenance.seed", 7.5, "provenance.seed", "a valid integer"),
    ("provenance.seed", True, "provenance.seed", "a valid integer"),
    ("name", 7, "name", "a valid string"),
    (
        "interface.observation.proprio.0.unit",
        "mm",
        "interface.observation.proprio.0.unit",
        "'m', 'rad'",
    ),
    ("interface.action.entries.1.high", -1.0, "interface.action.entries.1.high", "more than low"),
    (
        "interface.action.entries.2.threshold",
        1.0,
        "interface.action.entries.2.threshold",
        "[0.0, 1.0)",
    ),
    (
        "interface.observation.images.0.height",
        0,
        "interface.observation.images.0.height",
        "or more",
    ),
    ("interface.action.entries.1.name", "dx", "interface.action.entries", "distinct"),
    (
        "preprocessing.0.interpolation",
        "cubic",
        "preprocessing.0.interpolation",
        "'area', 'bilinear' or",
    ),
    ("preprocessing.0.image", "side", "preprocessing", "one step for each of front, wrist"),
    ("preprocessing.1", GONE, "preprocessing", "one step for each of front, wrist"),
    ("preprocessing.0.crop", [0, 0, 13, 16], "preprocessing.front", "inside 12x16"),
    ("preprocessing.0.crop", [0, 1, 12, 16], "preprocessing.front", "inside 12x16"),
    ("preprocessing.0.crop", [-1, 0, 2, 2], "preprocessing.front", "inside 12x16"),
    ("preprocessing.1.crop", [0, 0, 0, 8], "preprocessing.wrist", "inside 8x8"),
    ("preprocessing.0.size", [0, 4], "preprocessing.front", "a size of 1 or more"),
    ("success.successes", 101, "success.successes", "found '101 of 100'"),
    ("success.episodes", 0, "success.successes", "episodes >= 1"),
]


@pytest.mark.parametrize(("path", "value", "field", "said"), FAULTS)
def test_a_faulty_card_is_refused_by_field(
    model: Path, path: str, value: object, field: str, said: str
) -> None:
    put_text(model, json.dumps(edited(json.loads(make_card().to_json()), path, value)))
    with pytest.raises(ContractError) as refused:
        read_card(model)
    [problem] = refused.value.problems
    assert problem.field == field
    assert said in str(problem)
    assert problem.remedy
    assert str(model) in str(refused.value)


@pytest.mark.parametrize(
    "text",
    ["", "{", '{"name": }', "null", "[]", "7", '"card"', "1" * 5000, "[" * 100_000],
    ids=["empty", "open", "gap", "null", "list", "number", "string", "huge", "deep"],
)
def test_text_that_is_no_card(model: Path, text: str) -> None:
    put_text(model, text)
    with pytest.raises(ContractError) as refused:
        read_card(model)
    [problem] = refused.value.problems
    assert problem.field == "(top level)"
    assert len(str(refused.value)) < 600


def test_every_fault_is_reported_at_once() -> None:
    data = json.loads(make_card().to_json())
    for path, value in (
        ("nmae", "x"),
        ("cell_id", GONE),
        ("interface.control_period_s", math.nan),
        ("interface.action.entries.1.high", -1.0),
        ("provenance.seed", "7"),
        ("success.successes", 101),
    ):
        data = edited(data, path, value)
    with pytest.raises(ContractError) as refused:
        PolicyCard.from_json(json.dumps(data), "grasp.onnx")
    assert {problem.field for problem in refused.value.problems} == {
        "nmae",
        "cell_id",
        "interface.control_period_s",
        "interface.action.entries.1.high",
        "provenance.seed",
        "success.successes",
    }
    lines = str(refused.value).splitlines()
    assert lines[0] == "grasp.onnx: 6 problems"
    assert len(lines) == 7


def test_built_in_code_it_is_checked_too() -> None:
    with pytest.raises(Invalid, match="card_version: found 2, wanted 1"):
        make_card(card_version=2)
    with pytest.raises(Invalid, match="preprocessing: found"):
        make_card(preprocessing=())
    assert make_card().success == SimulatedSuccess("twin", 100, 83)
    assert SimulatedSuccess("twin", 100, 83).rate == 0.83
    assert [SimulatedSuccess("twin", 1, k).rate for k in (0, 1)] == [0.0, 1.0]
    step = make_card().preprocessing[0]  # unless told otherwise, 0 to 255 becomes 0 to 1
    assert (255 * step.scale + step.offset, step.interpolation) == (1.0, "area")


def test_what_could_not_be_read_is_not_written(model: Path) -> None:
    """A dataclass built in code may hold an infinity; the file must not."""
    before = model.read_bytes()
    endless = ActionSpec((ActionEntry("dx", "m", -math.inf, math.inf),))
    card = make_card(interface=replace(INTERFACE, action=endless))
    with pytest.raises(ContractError) as refused:
        write_card(model, card)
    fields = [problem.field for problem in refused.value.problems]
    assert fields == ["interface.action.entries.0.low", "interface.action.entries.0.high"]
    assert model.read_bytes() == before


# --- whole or not at all ----------------------------------------------------------------------


@contextmanager
def files_limited_to(size: int) -> Iterator[None]:
    """The kernel refuses to let any file grow past `size`, as a full disk would; to root too."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_write_that_fails_half_way_leaves_the_old_file(model: Path) -> None:
    write_card(model, make_card())
    before = model.read_bytes()
    with files_limited_to(len(before) // 2), pytest.raises(OSError, match="File too large"):
        write_card(model, make_card(name="another"))
    assert model.read_bytes() == before
    assert list(model.parent.iterdir()) == [model]
    write_card(model, make_card(name="another"))
    assert read_card(model).name == "another"
    assert list(model.parent.iterdir()) == [model]


def test_a_target_that_cannot_be_replaced(tmp_path: Path) -> None:
    target = tmp_path / "policy.onnx"
    target.mkdir()
    with pytest.raises(IsADirectoryError):
        write_atomic(target, b"new")
    assert list(tmp_path.iterdir()) == [target]
    assert list(target.iterdir()) == []


def test_a_parent_that_is_a_file(tmp_path: Path) -> None:
    parent = tmp_path / "models"
    parent.write_bytes(b"not a folder")
    with pytest.raises(NotADirectoryError):
        write_atomic(parent / "policy.onnx", b"new")
    assert parent.read_bytes() == b"not a folder"
    with pytest.raises(FileNotFoundError):
        write_atomic(tmp_path / "none" / "policy.onnx", b"new")
    assert list(tmp_path.iterdir()) == [parent]


def test_a_reader_sees_one_card_or_the_other(model: Path) -> None:
    both = make_card(name="short"), make_card(name="long" * 5000)
    write_card(model, both[0])
    done = threading.Event()

    def rewrite() -> None:
        try:
            for k in range(20):
                write_card(model, both[k % 2])
        finally:
            done.set()

    writer = threading.Thread(target=rewrite)
    writer.start()
    seen = set()
    while not done.is_set():
        seen.add(read_card(model))
    writer.join()
    assert seen <= set(both)
    assert read_card(model) == both[1]
