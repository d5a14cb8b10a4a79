"""Pictures: where things appear, how lenses bend, and how small ones differ from large ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from calibration import Cell, load_cell
from calibration.cell import Camera
from calibration.geometry import project
from sim.camera import Crop, Drawer, square
from sim.config import SceneConfig
from sim.eye import Eye
from sim.objects import Part, Thing
from sim.parameters import Imaging
from sim.sensor import Sensor
from sim.world import World

TWIN = Path(__file__).parents[2] / "calibration/cells/twin.yaml"
BALL = Thing("ball", (Part("sphere", (0.012, 0, 0)),), 500, 0.8)
SPOTS = np.array([[0.40, -0.15, 0.02], [0.60, 0.15, 0.02], [0.42, 0.16, 0.10], [0.5, 0, 0.2]])
WHOLE: Crop = (0, 0, 480, 640)


@pytest.fixture(scope="module")
def world() -> Iterator[tuple[World, Drawer]]:
    world = World(load_cell(TWIN), SceneConfig(shadows=0))
    drawer = Drawer(world.model)
    yield world, drawer
    drawer.close()


def camera_of(cell: Cell, **fields: object) -> Camera:
    camera = cell.cameras["front"]
    changed = {
        name: replace(getattr(camera, name), value=value) if name != "distortion_model" else value
        for name, value in fields.items()
    }
    return replace(camera, **changed)  # type: ignore[arg-type]


def red_spots(
    world: World, drawer: Drawer, eye: Eye, turn: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Where a red ball at each of SPOTS appears, in px of the full frame."""
    eye.aim(world.model)
    found = []
    for spot in SPOTS:
        world.reset(turn)
        world.place([BALL], spot[None], np.array([[1.0, 0, 0, 0]]))
        world.model.geom_rgba[world.slots.geoms[0, 0]] = (1, 0, 0, 1)
        picture = eye.see(drawer, world.data, Imaging(), np.random.default_rng(0), False)
        red = picture.astype(int)
        mask = (red[..., 0] > 60) & (red[..., 1] < 30) & (red[..., 2] < 30)
        rows, columns = np.nonzero(mask)
        assert len(rows) > 20, "the ball is not in the picture"
        top, left, height, width = eye.crop
        found.append(
            (
                left + (columns.mean() + 0.5) * width / eye.size[1] - 0.5,
                top + (rows.mean() + 0.5) * height / eye.size[0] - 0.5,
            )
        )
    return np.array(found)


ASIDE = np.array([2.5, -0.35, 0.0, -2.35, 0.0, 2.0, 0.0])  # the arm out of the picture


@pytest.mark.parametrize(
    "camera",
    [
        {},
        {"centre": (290.0, 262.0), "focal": (580.0, 640.0)},
        {"distortion": (-0.25, 0.12, 0.003, -0.002, 0.0)},
        {"distortion": (0.15, 0.02, 0.0, 0.0, 0.0)},
        {"distortion": (-0.03, 0.01, 0.0, 0.0), "distortion_model": "equidistant"},
    ],
)
@pytest.mark.parametrize("crop", [WHOLE, (10, 60, 440, 500)])
def test_things_appear_where_the_calibration_projects_them(
    world: tuple[World, Drawer], camera: dict[str, object], crop: Crop
) -> None:
    place, drawer = world
    model = camera_of(place.cell, **camera)
    eye = Eye("front", model, (crop[2], crop[3]), crop)
    found = red_spots(place, drawer, eye, ASIDE)
    wanted, _ = project(model, SPOTS)
    # A ball's outline is an ellipse whose middle is not quite the ball's.
    assert np.abs(found - wanted).max() < 0.5


def test_a_small_picture_is_the_full_frame_reduced(world: tuple[World, Drawer]) -> None:
    """Training draws straight at the network's size; a robot crops and reduces a full frame. Edges
    differ (one sample a pixel against their mean), the picture as a whole must not."""
    place, drawer = world
    place.reset(ASIDE)
    place.place([BALL], SPOTS[:1], np.array([[1.0, 0, 0, 0]]))
    camera = place.cell.cameras["front"]
    random = np.random.default_rng(0)
    full = Eye("front", camera, (480, 640), WHOLE)
    full.aim(place.model)
    frame = full.see(drawer, place.data, Imaging(), random, False)
    for side in (64, 96, 128):
        eye = Eye("front", camera, (side, side))
        eye.aim(place.model)
        small = eye.see(drawer, place.data, Imaging(), random, False).astype(float)
        top, left, height, width = square(camera)
        cropped = frame[top : top + height, left : left + width]
        reduced = cv2.resize(cropped, (side, side), interpolation=cv2.INTER_AREA)
        difference = np.abs(small - reduced)
        assert difference.mean() < 2.0
        assert (difference.max(axis=2) > 30).mean() < 0.05


def test_the_sensor_does_what_it_is_told() -> None:
    random = np.random.default_rng(0)
    grey = np.full((64, 64, 3), 128, np.uint8)
    sensor = Sensor((64, 64), (0, 0, 64, 64), (64, 64))

    def see(**fields: float) -> npt.NDArray[np.float64]:
        return sensor.develop(grey, Imaging(**fields), random).astype(float)  # type: ignore[arg-type]

    assert (see() == 128).all()
    assert see(gain=1.2).mean() == pytest.approx(154, abs=1)
    warm = see(red=1.1, blue=0.9).mean(axis=(0, 1))
    np.testing.assert_allclose(warm, [141, 128, 115], atol=1)
    assert see(noise=4.0).std() == pytest.approx(4.0, rel=0.1)
    dim = see(vignetting=0.3)
    assert dim[32, 32, 0] == 128
    assert dim[0, 0, 0] == pytest.approx(128 * 0.7, abs=3)
    assert np.abs(see(noise=6.0, jpeg=30) - 128).max() > 0


def test_one_renderer_a_process(world: tuple[World, Drawer]) -> None:
    with pytest.raises(RuntimeError, match="one renderer"):
        Drawer(world[0].model)
