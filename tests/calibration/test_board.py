"""The board: to scale on paper, found in pictures whole or in part, and what cannot be one."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from calibration.board import Board, Finder
from calibration.printing import INCH, write_print
from policy.contract import Invalid


def test_it_is_printed_to_scale(tmp_path: Path) -> None:
    board = Board()
    write_print(tmp_path / "board.png", board)
    write_print(tmp_path / "board.pdf", board)
    assert (tmp_path / "board.pdf").read_bytes().startswith(b"%PDF")
    page = cv2.imread(str(tmp_path / "board.png"), cv2.IMREAD_GRAYSCALE)
    assert page is not None
    view = Finder(board).find(np.asarray(page, np.uint8))
    assert view is not None
    assert len(view.ids) == len(board.points)
    metres = view.corners / 300 * INCH  # dots an inch
    for axis, side in ((0, 0.038 * 5), (1, 0.038 * 3)):
        assert np.ptp(metres[:, axis]) == pytest.approx(side, abs=1e-4)
    with pytest.raises(Invalid, match=r"board: found '0\.7 x 0\.5 m', wanted at most 0\.297"):
        write_print(tmp_path / "large.png", Board(square=0.1, marker=0.07))


def test_corners_have_their_numbers_however_little_is_seen() -> None:
    board = Board()
    whole = np.pad(board.draw(40), 60, constant_values=255)
    view = Finder(board).find(whole[:, : whole.shape[1] // 2])
    assert view is not None
    assert 6 <= len(view.ids) < len(board.points)
    expected = board.points[view.ids, :2] / board.square * 40 + 60 - 0.5
    assert np.abs(view.corners - expected).max() < 0.1
    assert Finder(board).find(whole[:, :135]) is None  # at most one column
    assert Finder(Board(dictionary="DICT_5X5_50")).find(whole) is None


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"columns": 2}, "columns: found 2, wanted 3 squares or more"),
        ({"marker": 0.04}, "marker: found 0.04, wanted between 0 and the square"),
        ({"dictionary": "DICT_7X7_50"}, "dictionary: .* wanted one of DICT_4X4_50"),
        ({"columns": 11, "rows": 10}, "at most 50 markers of DICT_4X4_50"),
    ],
)
def test_what_is_no_board(fields: dict[str, object], told: str) -> None:
    with pytest.raises(Invalid, match=told):
        Board(**fields)  # type: ignore[arg-type]
