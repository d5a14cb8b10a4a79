"""What `python -m calibration` does, one function a procedure. Each prints what it found; the cell
file changes only with `--write`."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path

import cv2
import numpy as np

from policy.contract import Invalid, decode_json
from policy.contract.files import write_atomic
from policy.experience.pictures import write_picture

from .binfit import Touches, fit_bin, sorted_out, together
from .board import Board, Picture
from .capture import Capture
from .cell import Cell
from .cellfile import load_cell
from .fromlog import camera_by_log
from .guided import fit
from .intrinsics import calibrate, require_size
from .lens import Lens
from .measured import Measured
from .pivot import pivot
from .planes import cloud
from .printing import write_print
from .records import PivotFile, Record, TouchFile, load_record, motion, save_record
from .rigid import inverse, matrix_of, standing
from .sheet import camera_view
from .write import Value, write


def board(a: Namespace) -> None:
    write_print(a.out, board_of(a), tuple(a.paper))
    print(f"{a.out}: print it at 100 %")


def board_of(a: Namespace) -> Board:
    return Board(*(getattr(a, one.name) for one in fields(Board)))


def intrinsics(a: Namespace) -> None:
    cell = load_cell(a.cell)
    camera = camera_named(cell, a.camera)
    record = _recorded(a, board_of(a))
    require_size((record.width, record.height), cell.cameras[camera])
    found = calibrate(record.board, record.views, (record.width, record.height))
    print(found.table())
    for number, error in found.left_out:
        print(f"left out: view {number}, {error:.2f} px")
    fx, fy = found.lens.focal
    print(
        f"focal {fx:.2f}, {fy:.2f} px (sd {found.focal_sd:.2f}); {found.residual:.3f} px are left"
    )
    put(a, found.values(camera, cell.cameras[camera]))


def hand_eye(a: Namespace) -> None:
    cell = load_cell(a.cell)
    camera_named(cell, a.camera)
    shown = None if a.lens is None else load_record(a.lens)
    found = fit(cell, a.camera, load_record(a.record), shown)
    print(found.table())
    for outlier in found.outliers:
        print(f"left out: {outlier}")
    place, turn = found.found.camera_sd
    print(f"sd {1000 * place:.2f} mm, {np.degrees(turn):.3f} deg, of {found.poses} poses")
    held = found.held_out
    print(
        f"held out: {held.corners:.2f} px; the board by {1000 * held.place:.2f} mm, "
        f"{np.degrees(held.turn):.3f} deg"
    )
    put(a, found.values(a.camera))


def from_log(a: Namespace) -> None:
    cell = load_cell(a.cell)
    found = camera_by_log(cell, camera_named(cell, a.camera), a.log)
    if found is None:
        wanted, remedy = "a camera that is known to 1 mm", "let the robot play more episodes"
        raise Invalid("log", f"too little in {a.log}", wanted, remedy)
    millimetres, degrees = 1e3 * found.distance, np.degrees(found.angle)
    print(f"{a.camera} is {millimetres:.1f} mm and {degrees:.2f} deg beside where the cell has it")
    if a.out is not None:
        write_atomic(a.out, a.cell.read_bytes())
        a.cell, a.write = a.out, True
    values = found.values(cell.cameras[a.camera])
    put(a, {f"cameras.{a.camera}.{key}": value for key, value in values.items()})


def tcp(a: Namespace) -> None:
    cell = load_cell(a.cell)
    touched = decode_json(PivotFile, a.touches.read_text(), str(a.touches))
    to_flange = inverse(matrix_of(cell.arm.tcp))
    found = pivot([motion(pose) @ to_flange for pose in touched.tcp])
    for number, miss in enumerate(found.misses):
        print(f"touch {number}: {1000 * miss:.2f} mm off")
    x, y, z = 1000 * found.tip
    print(f"tip at {x:.2f}, {y:.2f}, {z:.2f} mm of the flange (sd {1000 * found.sd:.2f})")
    put(a, found.values())


def bin_(a: Namespace) -> None:
    cell, parts = load_cell(a.cell), []
    if a.touches is not None:
        file = decode_json(TouchFile, a.touches.read_text(), str(a.touches))
        points = (getattr(file, one.name) for one in fields(Touches))
        parts.append(Touches(*(np.array(one, float).reshape(-1, 3) for one in points)))
    for picture in a.depth:
        name, _, path = picture.partition("=")
        camera, data = cell.cameras[camera_named(cell, name)], np.load(path, allow_pickle=False)
        if camera.mount == "wrist":
            camera = standing(camera, motion(data["tcp"]))
        pose = matrix_of(camera.pose)
        seen = cloud(data["metres"], Lens.of(camera), pose)
        parts.append(sorted_out(seen, cell.bin, cell.table, pose[:3, 3]))
    if not parts:
        raise Invalid("bin", "nothing", "--touches or --depth", "give at least one")
    found = fit_bin(together(parts), cell.bin, seen=bool(a.depth))
    print(f"floor tilted by {np.degrees(found.floor.tilt):.2f} deg, {found.points} wall points")
    put(a, found.values("depth" if a.depth else "touches"))


def overlay(a: Namespace) -> None:
    cell = load_cell(a.cell)
    name = camera_named(cell, a.camera)
    if cell.cameras[name].mount == "wrist" and a.tcp is None:
        remedy = "give x y z and the quaternion x y z w"
        raise Invalid("--tcp", None, "where the TCP was, for a camera at the wrist", remedy)
    pose = None if a.tcp is None else motion(a.tcp)
    drawn = camera_view(cell, name, picture_at(a.picture), pose)
    write_picture(a.out, np.ascontiguousarray(drawn[..., ::-1]))
    print(f"{a.out}: does the blue outline lie on the bin?")


def _recorded(a: Namespace, sheet: Board) -> Record:
    """A record as it is, or one made of pictures."""
    if a.views[0].suffix == ".json":
        return load_record(a.views[0])
    first = picture_at(a.views[0])
    capture = Capture(sheet, (first.shape[1], first.shape[0]))
    for path in a.views:
        told = capture.feed(np.ascontiguousarray(picture_at(path)[..., ::-1]))
        print(f"{path}: {told.why}")
    print(f"still useful: {told.advice}")
    if a.record is not None:
        save_record(capture.record, a.record)
    return capture.record


def picture_at(path: Path) -> Picture:
    """BGR."""
    picture = cv2.imread(str(path))
    if picture is None:
        raise Invalid("picture", str(path), "a picture that can be read", "check the path")
    return np.asarray(picture, np.uint8)


def camera_named(cell: Cell, name: str) -> str:
    if name not in cell.cameras:
        wanted = f"a camera of cell '{cell.id}': {', '.join(cell.cameras)}"
        raise Invalid("camera", name, wanted, "name one of them")
    return name


def put(a: Namespace, values: Mapping[str, Value]) -> None:
    for key, one in values.items():
        told = (
            f"{one.value} {one.unit}, residual {one.residual}" if isinstance(one, Measured) else one
        )
        print(f"  {key}: {told}")
    if a.write:
        cell = write(a.cell, values)
        print(f"written to {a.cell} ({cell.fingerprint})")
