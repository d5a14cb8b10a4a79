"""A lens from views: its kind by what was left out, its numbers, and how sure they are."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import numpy.typing as npt
import pytest

from benchmarks.hidden_cells import HiddenCell
from calibration import realsense
from calibration.board import View
from calibration.coverage import TILTS, Coverage
from calibration.intrinsics import FEWEST, calibrate
from calibration.lens import Lens
from calibration.rigid import rigid
from policy.contract import Invalid

Array = npt.NDArray[np.float64]
SIZE = (640, 480)
LENSES = {
    "none": (),
    "plumb_bob": (0.08, -0.15, 0.001, -0.0005, 0.05),
    "rational_polynomial": (0.4, -0.2, 0.0003, 0.0002, -0.05, 0.45, -0.15, -0.05),
    "equidistant": (0.02, -0.01, 0.005, 0.0),
}


def cell_with(model: str, focal: float = 612.0) -> HiddenCell:
    lens = Lens(*SIZE, (focal, focal * 1.002), (322.0, 236.0), model, LENSES[model])
    return replace(HiddenCell.drawn(0, "world"), lens=lens)


@pytest.mark.parametrize("model", LENSES)
def test_the_numbers_come_back(model: str) -> None:
    """Whatever model was taken, it says what the true one says, to the noise."""
    cell = cell_with(model)
    found = calibrate(cell.board, cell.shown(np.random.default_rng(1)), SIZE)
    assert found.lens.focal == pytest.approx(cell.lens.focal, rel=0.004)
    off = np.abs(np.array(found.lens.focal) - cell.lens.focal).max()
    assert off < 4 * found.focal_sd
    assert found.residual == pytest.approx(np.sqrt(2) * cell.noise.corner, rel=0.1)
    rays = np.array([[0, 0, 1.0], [0.3, 0.2, 1], [-0.35, 0.25, 1]])
    apart = found.lens.project(rays) - cell.lens.project(rays)
    assert np.abs(apart - apart[0]).max() < 1.5  # the centre's uncertainty is a turn of the camera
    assert not found.left_out
    assert f"{found.lens.distortion_model} (taken)" in found.table()


def test_of_two_that_err_alike_the_simpler() -> None:
    cell = cell_with("none")
    taken = calibrate(cell.board, cell.shown(np.random.default_rng(1)), SIZE)
    assert taken.lens.distortion_model == "none"
    bent = cell_with("plumb_bob")
    scores = calibrate(bent.board, bent.shown(np.random.default_rng(1)), SIZE).scores
    assert scores[0].model == "none"
    assert scores[0].worse > 3


def test_a_view_that_cannot_be_is_named() -> None:
    cell, random = cell_with("plumb_bob"), np.random.default_rng(2)
    views = cell.shown(random)
    bad = View(views[5].ids, views[5].corners + random.normal(0, 6, views[5].corners.shape))
    found = calibrate(cell.board, [*views[:5], bad, *views[6:]], SIZE)
    [(number, error)] = found.left_out
    assert number == 5
    assert error > 4
    with pytest.raises(Invalid, match=f"views: found 3, wanted {FEWEST} or more"):
        calibrate(cell.board, views[:3], SIZE)


def test_views_that_no_lens_explains_are_refused() -> None:
    """Another board than the one that was measured: its corners are counted otherwise."""
    cell, random = cell_with("plumb_bob"), np.random.default_rng(1)
    mixed = [View(view.ids, random.permutation(view.corners)) for view in cell.shown(random)]
    with pytest.raises(Invalid, match=r"px unexplained by any lens', wanted 2.0 px at most"):
        calibrate(cell.board, mixed, SIZE)


def test_coverage_asks_for_what_is_missing() -> None:
    cell = cell_with("none")
    coverage = Coverage(cell.board, SIZE)
    random, middle = np.random.default_rng(0), np.array([*cell.board.size, 0]) / 2

    def view(turn: tuple[float, float, float], place: tuple[float, float, float]) -> View:
        pose = rigid(turn, (0, 0, 0))
        pose[:3, 3] = place - pose[:3, :3] @ middle
        found = cell.view(pose, random)
        assert found is not None
        return found

    flat = view((0, 0, 0), (0, 0, 0.45))
    assert coverage.kinds(flat) == ("flat", "middle")
    # The board's right side comes towards the camera when it turns about y by a positive angle.
    assert coverage.kinds(view((0, 0.6, 0), (0, 0, 0.5)))[0] == "left side away"
    assert coverage.kinds(view((0, -0.6, 0), (0, 0, 0.28))) == ("right side away", "near")
    assert coverage.kinds(view((0.6, 0, 0), (0, 0, 0.8))) == ("bottom away", "far")
    # Upside down, the picture's top is what counts.
    assert coverage.kinds(view((0, 0, np.pi), (0, 0, 0.6)))[0] == "flat"
    assert coverage.missing[0] == "hold it flat"
    for _ in range(6):
        coverage.add(flat)
    assert coverage.missing[0] == f"tilt it: {TILTS[1]}"
    assert any("top, far left" in one for one in coverage.missing)
    assert 0 < coverage.share < 0.5
    shown = cell.shown(random)
    for one in shown:
        coverage.add(one)
    assert coverage.missing == []
    assert coverage.share == 1
    drawn = coverage.draw(np.zeros((480, 640, 3), np.uint8), flat)
    assert drawn[5, 5, 1] > drawn[5, 5, 0]  # green


@pytest.mark.parametrize("model", ["brown_conrady", "inverse_brown_conrady", "kannala_brandt4"])
def test_the_makers_own_numbers(model: str) -> None:
    terms = [0.05, -0.06, 0.0008, -0.0004, 0.02]
    found = SimpleNamespace(
        width=640, height=480, fx=610.0, fy=611.0, ppx=318.0, ppy=243.0,
        model=SimpleNamespace(name=model), coeffs=terms,
    )  # fmt: skip
    lens = realsense.lens_of(found)
    pixels = np.array([[10.0, 20.0], [320, 240], [600, 400], [630, 10]])
    if model == "inverse_brown_conrady":
        # As rs2_deproject_pixel_to_point has it.
        x, y = (pixels[:, 0] - 318) / 610, (pixels[:, 1] - 243) / 611
        r2 = x * x + y * y
        f = 1 + terms[0] * r2 + terms[1] * r2**2 + terms[4] * r2**3
        ux = x * f + 2 * terms[2] * x * y + terms[3] * (r2 + 2 * x * x)
        uy = y * f + 2 * terms[3] * x * y + terms[2] * (r2 + 2 * y * y)
        assert lens.distortion_model == "plumb_bob"
        assert np.abs(lens.rays(pixels) - np.column_stack([ux, uy])).max() < 1e-4
    else:
        assert lens.distortion == tuple(terms[: len(lens.distortion)])
    found.coeffs = [0.0] * 5
    assert realsense.lens_of(found).distortion_model == "none"
    found.model, found.coeffs = SimpleNamespace(name="ftheta"), terms
    with pytest.raises(Invalid, match="model: found 'ftheta', wanted brown_conrady"):
        realsense.lens_of(found)
