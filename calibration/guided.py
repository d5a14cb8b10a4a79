"""The calibration of one camera as it goes on at the cell: a person shows the board to it, then
puts the board into the hand or the bin, and the arm looks at it from pose to pose. Who drives the
cell (a node, a test) gives the procedure its hands and eyes; what was seen is kept, and can be
fitted again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, Protocol

import cv2
import numpy as np
import numpy.typing as npt

from policy.contract import Invalid

from .board import Board, Finder, Picture
from .capture import Capture
from .cell import Cell
from .cellfile import load_cell
from .handeye import HandEyeResult
from .handeye import calibrate as calibrate_hand_eye
from .intrinsics import calibrate, require_size
from .late import late
from .lens import Lens
from .poses import Plan, flat, held, plan
from .records import Record, Sighting, save_record
from .refine import Task
from .rigid import matrix_of, rigid
from .streams import Streams, save_streams
from .write import write

Array = npt.NDArray[np.float64]
Place = Literal["away", "held", "bin", "shown"]
ASKS: dict[Place, str] = {
    "shown": "show the board to camera {camera}: near and far, tilted to all sides, in every "
    "corner of the picture; hold it still each time",
    "held": "put the board into the gripper, held in the middle of its upper edge",
    "bin": "empty the bin, and lay the board flat into its middle",
    "away": "take the board away",
}
MOST_FRAMES = 1500  # that a person is given to show all that is wanted
SWINGS, SWING = 24, 0.025  # ways to and fro, and how far they go from the middle, m
COMMON = 6  # corners that a picture must share with the first


class Helper(Protocol):
    """Blocking. What cannot go on raises; a pose that cannot be reached is told."""

    def ask(self, place: Place) -> None:
        """A person puts the board there, and says when it is."""

    def frame(self) -> Picture:
        """The camera's next picture, RGB."""

    def show(self, picture: Picture) -> None:
        """To the person with the board."""

    def move(self, tcp: Array) -> str:
        """To that pose (4, 4), at rest; else why not."""

    def look(self) -> tuple[Picture, Array]:
        """A picture that was taken at rest, and where the TCP was."""

    def swing(self, tcp: Sequence[Array]) -> tuple[Streams, list[tuple[float, Picture]]]:
        """From pose to pose: what was told meanwhile, and when pictures arrived (s)."""

    def say(self, text: str) -> None: ...


def show_lens(helper: Helper, cell: Cell, name: str, board: Board, most: int) -> Record:
    """Views of a board in a person's hands, as many as tell the lens, or `most`."""
    camera = cell.cameras[name]
    capture = Capture(board, (camera.width, camera.height))
    helper.ask("shown")
    for _ in range(MOST_FRAMES):
        frame = helper.frame()
        told = capture.feed(frame)
        helper.show(capture.draw(frame, told))
        if told.kept:
            helper.say(f"{told.why} ({capture.coverage.share:.0%}); {told.advice}")
        if capture.done or len(capture.views) == most:
            break
    return capture.record


def plan_of(cell: Cell, name: str, board: Board) -> Plan:
    """What is known before: the cell file. A board in the hand hangs below the TCP, which stays
    higher by it."""
    camera, centre = cell.cameras[name], cell.bin.centre.value
    low, high = np.array(cell.workspace.low.value), np.array(cell.workspace.high.value)
    in_hand = camera.mount == "world"
    if in_hand:
        low[2] = max(low[2], high[2] - 0.1)
    return Plan(
        board, Lens.of(camera), camera.mount, matrix_of(camera.pose),
        held(board) if in_hand else flat(board, centre), low, high, floor=centre[2],
    )  # fmt: skip


def look_around(
    helper: Helper, cell: Cell, name: str, board: Board, reachable: Callable[[Array], bool],
    count: int,
) -> Record:  # fmt: skip
    """From `count` planned poses; those that cannot be taken, or show no board, are left out."""
    camera, finder, sightings = cell.cameras[name], Finder(board), list[Sighting]()
    poses = plan(plan_of(cell, name, board), reachable, count)
    helper.ask("held" if camera.mount == "world" else "bin")
    for number, pose in enumerate(poses):
        told = helper.move(pose)
        if not told:
            picture, tcp = helper.look()
            view = finder.find(picture)
            told = "no board in sight" if view is None else f"{len(view.ids)} corners"
            if view is not None:
                sightings.append(Sighting.of(view, tcp))
        helper.say(f"pose {number + 1} of {len(poses)}: {told}")
    return Record(board, camera.width, camera.height, tuple(sightings))


def swing(helper: Helper, cell: Cell, name: str, board: Board, seen: Record) -> Streams:
    """To and fro about a pose that shows the board: how late command and camera are."""
    random, poses = np.random.default_rng(0), list[Array]()
    low, high = np.array(cell.workspace.low.value), np.array(cell.workspace.high.value)
    # Upright, or nearly, where the board was: what turns is not to be told from what moves.
    start = max(seen.tcp, key=lambda pose: -pose[2, 2])
    for number in range(SWINGS):
        way = random.uniform(0.5, 1, 2) * (1 if number % 2 else -1) * random.permutation((1, 0.4))
        place = start[:3, 3] + SWING * np.array([*way, 0.0])
        poses.append(rigid(start[:3, :3], np.clip(place, low, high)))
    helper.move(start)
    streams, frames = helper.swing(poses)
    return Streams(**{**vars(streams), "pictures": board_motion(board, frames)})


def board_motion(board: Board, frames: Sequence[tuple[float, Picture]]) -> Array:
    """Rows of time and of how far (px) the board's middle has moved since the first picture that
    shows it, whichever corners are seen."""
    finder, rows = Finder(board), list[tuple[float, float, float]]()
    middle = board.points.mean(axis=0)[None, :2]
    for when, picture in frames:
        view = finder.find(picture)
        if view is not None and len(view.ids) >= COMMON:
            flat = board.points[view.ids, :2]
            plane, _ = cv2.findHomography(flat, view.corners)
            right, down = cv2.perspectiveTransform(middle[None], plane)[0, 0]
            rows.append((when, float(right), float(down)))
    motion = np.array(rows).reshape(-1, 3)
    motion[:, 1:] -= motion[:1, 1:]
    return motion


def fit(cell: Cell, name: str, seen: Record, shown: Record | None) -> HandEyeResult:
    """The camera from the arm's poses; its lens as well where there is a record of that."""
    camera = cell.cameras[name]
    require_size((seen.width, seen.height), camera)
    lens, known = Lens.of(camera), None
    if shown is not None:
        require_size((shown.width, shown.height), camera)
        if shown.board != seen.board:
            wanted = f"{seen.board}, as with the arm"
            raise Invalid("board", str(shown.board), wanted, "use one board for both")
        fitted = calibrate(shown.board, shown.views, (shown.width, shown.height))
        lens, known = fitted.lens, fitted.information
    return calibrate_hand_eye(
        Task(seen.board, lens, camera.mount, seen.tcp, seen.views, lens_known=known)
    )


def calibrate_here(
    helper: Helper, path: Path, name: str, board: Board, reachable: Callable[[Array], bool],
    poses: int, views: int,
) -> Cell:  # fmt: skip
    """All of it. The records lie beside the cell file `path`, which gets what was found."""
    cell = load_cell(path)
    shown = show_lens(helper, cell, name, board, views)
    save_record(shown, path.with_name(f"{name}_lens.json"))
    seen = look_around(helper, cell, name, board, reachable, poses)
    save_record(seen, path.with_name(f"{name}_poses.json"))
    found = fit(cell, name, seen, shown)
    for line in (found.table(), *(f"left out: {outlier}" for outlier in found.outliers)):
        helper.say(line)
    place, turn = found.found.camera_sd
    helper.say(f"sd {1000 * place:.2f} mm, {np.degrees(turn):.3f} deg, of {found.poses} poses")
    streams = swing(helper, cell, name, board, seen)
    save_streams(vars(streams), path.with_name(f"{name}_motion.npz"))
    lateness, lines = late(streams)
    for line in lines:
        helper.say(line)
    helper.ask("away")
    return write(path, {**found.values(name), **lateness})
