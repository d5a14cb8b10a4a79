"""Watching: files where there is no display, at the world's own pace."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from calibration import load_cell
from sim.config import SceneConfig
from sim.env import TWIN
from sim.view import main, watched, write_video
from sim.world import CHUNK_S, World


def read_film(path: Path) -> list[np.ndarray]:
    video, film = cv2.VideoCapture(str(path)), []
    while (read := video.read())[0]:
        film.append(read[1])
    return film


def test_pictures_and_a_video(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sim.view", "--out", str(tmp_path), "--preset", "kitchen"]
    done = subprocess.run(
        [*command, "--policy", "scripted", "--seed", "2"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert " after " in done.stdout
    film = read_film(tmp_path / "episode.mp4")
    assert 20 < len(film) < 120
    for picture in (cv2.imread(str(tmp_path / f"{name}.png")) for name in ("start", "end")):
        assert picture is not None
        assert picture.shape == film[0].shape == (480, 640, 3)
        assert picture.std() > 10
    moved = np.abs(film[0].astype(int) - film[len(film) // 2]).mean()
    assert moved > 1


def test_a_video_without_a_codec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cv2.VideoWriter, "isOpened", lambda _: False)
    film = [np.full((48, 64, 3), (200, 10 * k, 0), np.uint8) for k in range(5)]
    path = write_video(tmp_path / "episode", film, 25)
    assert path.name == "episode.webp"
    done, animation = cv2.imreadanimation(str(path))
    assert done
    assert len(animation.frames) == 5
    red = animation.frames[0][..., 2]
    assert abs(float(red.mean()) - 200) < 8


def test_watching_is_not_felt() -> None:
    """A look at each interval, a controller's cycle late at most; the same state, bit for bit."""
    cell = load_cell(TWIN)
    worlds = [World(cell, SceneConfig(objects=1)) for _ in range(2)]
    times: list[float] = []
    with watched(worlds[0], 0.04, lambda: times.append(worlds[0].time)):
        for world in worlds:
            world.grip(0.02)
            for seconds in (0.012, 0.1, 0.2, 0.048):
                world.advance(seconds)
    late = np.array(times) - 0.04 * np.arange(1, 10)
    assert (late > -1e-9).all()
    assert (late < CHUNK_S).all()
    assert worlds[0].time == worlds[1].time == pytest.approx(0.36)
    assert np.array_equal(worlds[0].data.qpos, worlds[1].data.qpos)
    worlds[0].advance(0.1)
    assert len(times) == 9


def test_what_is_wrong_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--out", str(tmp_path), "--cell", "nowhere.yaml"]) == 2
    assert "nowhere.yaml" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["--preset", "submarine"])
    assert "submarine" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
