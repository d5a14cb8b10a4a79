"""The node as a process: it judges, keeps what it judged, and hears a person out."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.node import Node
from regrasp_msgs.msg import Verdict
from regrasp_msgs.srv import Judge
from regrasp_nodes.pictures import message_of
from regrasp_nodes.reward_node import clip_of
from regrasp_nodes.wiring import stamp
from ros_doing import Program, result, spinning, told, until

from calibration import load_cell
from calibration.geometry import bin_mask
from policy.experience.episode import PERSON
from reward.album import Album
from reward.detector import Picture, Setup
from reward.gate import Gate, Gates, Reference, Wanted
from reward.panel import UNTESTED
from reward.watch import CHECKS, Watch
from sim.env import TWIN

NODE = "from regrasp_nodes.reward_node import main\nmain()\n"


def pictures(seed: int, dropped: bool = False) -> list[Any]:
    """Of the twin's front camera, as it were."""
    coarse = np.random.default_rng(0).uniform(60, 190, (48, 64, 3))
    drawn = cv2.resize(coarse, (640, 480), interpolation=cv2.INTER_CUBIC)
    if dropped:
        cv2.circle(drawn, (325, 240), 22, (220, 40, 30), -1)
    noisy = drawn + np.random.default_rng([seed, 1]).normal(0, 2, drawn.shape)
    frame: Picture = np.clip(noisy, 0, 255).astype(np.uint8)
    return [message_of("front", frame, stamp(seed))]


def request(episode: str, before: int, after: int, dropped: bool, empty: bool = False) -> Any:
    return Judge.Request(
        episode_id=episode, empty=empty, before=pictures(before), after=pictures(after, dropped),
        clip=pictures(5) + pictures(6),
    )  # fmt: skip


def test_moments_are_told_apart_by_their_cameras() -> None:
    frames = [np.full((4, 6, 3), k, np.uint8) for k in range(4)]
    messages = [
        message_of(name, frames[k], stamp(k))
        for name, k in (("wrist", 0), ("front", 1), ("wrist", 2), ("front", 3))
    ]
    clip = clip_of(messages)
    assert clip["wrist"][:, 0, 0, 0].tolist() == [0, 2]
    assert clip["front"][:, 0, 0, 0].tolist() == [1, 3]


def test_it_judges_keeps_pictures_and_listens_to_persons(tmp_path: Path) -> None:
    folder, log = tmp_path / "reward", tmp_path / "log"
    words = ["--ros-args", "-p", f"folder:={folder}", "-p", f"log:={log}", "-p", "task:=lift it"]
    with told() as context:
        ear = Node("ear", context=context)
        judge = ear.create_client(Judge, "/reward/judge")
        said = ear.create_publisher(Verdict, "/episode/verdict", 20)
        health: list[Any] = []
        ear.create_subscription(DiagnosticArray, "/diagnostics", health.append, 10)

        def ask(*choices: Any, **more: Any) -> Any:
            return result(judge.call_async(request(*choices, **more)), 60.0)

        def told_of(text: str) -> bool:
            return any(text in one.message for message in health for one in message.status)

        with spinning(ear):
            with Program(NODE, *words) as program:
                assert judge.wait_for_service(60.0)
                assert "noise" in ask("e0", 1, 2, False).problem
                for seed in (10, 20, 30):
                    assert ask("", seed, seed + 1, False, empty=True).problem == ""
                for episode, dropped in (("e1", True), ("e2", False)):
                    [found] = ask(episode, 3, 4, dropped).verdicts
                    assert (found.detector, found.success) == ("subtraction", dropped)
                    assert (found.gate, found.episode_id) == (UNTESTED, episode)
                program.process.send_signal(signal.SIGINT)
                assert program.ends() == 0
            until(lambda: not judge.service_is_ready(), 60.0)
            assert list(Album(log)) == ["e1", "e2"]
            shown = Album(log).pair("e1")
            assert shown.before["front"].shape == (480, 640, 3)
            assert (log / "judged/e1_subtraction.jpg").exists()

            # It is given a gate, starts anew, and is contradicted until it is demoted.
            cell = load_cell(TWIN)
            mask = bin_mask(cell.cameras["front"], cell.bin)
            np.testing.assert_array_equal(Setup.load(folder).masks["front"], mask)
            gate = Gate(
                1, "subtraction", "20260101T000000", Wanted(), 0.0, 100, 100, 100, 100, 200, 200,
                Reference((), (), 0),
            )  # fmt: skip
            gates = Gates(folder)
            gates.give(gate)
            with Program(NODE, *words):
                assert judge.wait_for_service(60.0)
                until(lambda: said.get_subscription_count() > 0, 60.0)
                for number in range(CHECKS):
                    episode = f"f{number}"
                    [found] = ask(episode, 3, 4, True).verdicts
                    assert found.gate == gate.name
                    said.publish(Verdict(episode_id=episode, detector=PERSON, success=False))
                until(lambda: told_of("spot checks"), 60.0)
                [found] = ask("g", 3, 4, True).verdicts
                assert found.gate == "heard"
            assert "spot checks" in Watch(gate, gates.path(gate, ".jsonl")).demoted
        ear.destroy_node()
