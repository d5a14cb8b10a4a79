"""A person at the gamepad of a running cell: takes over, lets go, labels what was done."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from live_cell import EVERY, Watcher, live
from regrasp_msgs.msg import ExecutedStep
from regrasp_msgs.msg import Verdict as VerdictMessage
from ros_doing import until
from sensor_msgs.msg import Joy

from policy.experience.episode import PERSON, Driver
from policy.experience.log import open_index, read_episode

RATE = 50.0
DEAD_MAN, SUCCESS = 4, 3  # LB and Y of an Xbox pad
AXES, BUTTONS, UP = 8, 11, 4


class Gamepad:
    """As joy_node tells of it, again and again."""

    def __init__(self, node: Watcher) -> None:
        self.axes, self.buttons = [0.0] * AXES, [0] * BUTTONS
        joy = node.create_publisher(Joy, "/joy", 1)
        node.create_timer(1 / RATE, lambda: joy.publish(Joy(axes=self.axes, buttons=self.buttons)))

    def press(self, button: int, down: bool) -> None:
        self.buttons[button] = int(down)


@pytest.mark.slow
def test_a_person_takes_over_lets_go_and_labels(tmp_path: Path) -> None:
    said = tmp_path / "said"
    with live(tmp_path, said, operator="gamepad") as cell:
        watcher = cell.watcher
        verdicts = watcher.hear(VerdictMessage, "/episode/verdict", EVERY)
        pad = Gamepad(watcher)
        cell.going()
        pad.axes[UP] = 0.6
        pad.press(DEAD_MAN, True)
        cell.going(ExecutedStep.HUMAN)
        person = watcher.steps[-1]
        until(lambda: sum(one.driver == ExecutedStep.HUMAN for one in watcher.steps) >= 3)
        pad.axes[UP] = 0.0
        pad.press(DEAD_MAN, False)
        cell.going()
        until(lambda: any(one.episode_id == person.episode_id for one in verdicts), 120)
        pad.press(SUCCESS, True)
        until(lambda: (tmp_path / "log").exists() and labelled(cell.log, person.episode_id))
    assert "Traceback" not in said.read_text()
    with open_index(cell.log) as index:
        entry = next(one for one in index if one.episode_id == person.episode_id)
    episode = read_episode(entry.path)
    drove = episode.driver == Driver.HUMAN
    assert entry.success  # whatever the detectors said
    assert entry.human_steps == drove.sum() >= 3
    up = episode.info.interface.action.names.index("dz")
    assert (episode.human[drove, up] > 0).all()
    assert np.isfinite(episode.policy[drove]).all()  # what it would have done is kept beside
    assert (episode.driver[1:] == Driver.POLICY).any()


def labelled(log: Path, episode_id: str) -> bool:
    with open_index(log) as index:
        mine = [one for one in index if one.episode_id == episode_id]
    return any(verdict.detector == PERSON for one in mine for verdict in one.verdicts)
