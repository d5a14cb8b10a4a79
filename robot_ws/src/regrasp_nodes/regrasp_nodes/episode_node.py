"""Plays episodes: grasp, judge, store, reset. What each consists of is in episode/routine.py."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import rclpy
from rclpy.action import ActionClient
from rclpy.node import Node
from regrasp_msgs.action import RunEpisodes
from regrasp_msgs.msg import Verdict as VerdictMessage
from regrasp_msgs.srv import Label
from std_srvs.srv import Trigger

from policy.experience.episode import PERSON, Verdict, new_episode_id, success
from policy.experience.errors import ExperienceError
from policy.experience.log.repair import repair, unfinished
from policy.experience.log.verdicts import VerdictWriter

from .episode.resetting import STIR_AFTER
from .episode.routine import Interrupted, Phase, Places, Routine
from .episode.tally import Tally
from .hands import RosHands
from .threaded import ThreadedAction
from .verdicts import verdict_message
from .wiring import EVERY, OK, WARN, Diagnostics, Health, cell_of, parameter, run

MOST_BROKEN = 5  # episodes in a row; then a person should look


class EpisodeNode(Node):
    def __init__(self) -> None:
        super().__init__("episode")
        cell = cell_of(self)
        self._log = Path(parameter(self, "log", "runs/log", "directory of the experience log"))
        cameras = parameter(self, "judge_cameras", ["front"], "whose pictures are judged")
        source = parameter(self, "source", "online", "online, or demonstration")
        task = parameter(self, "task", "", "in words, for the log")
        seed = parameter(self, "seed", 0, "of where episodes start", 0, 2**31 - 1)
        episodes = parameter(self, "episodes", 0, "to play at once; 0 waits to be asked", 0, 10**6)
        name = parameter(self, "round", "", "whose episodes are gone on with after a restart")
        self._cycles = parameter(self, "empty_cycles", 3, "before the first episode", 0, 20)
        self._exits = parameter(self, "exit_when_done", False, "end when those are played")
        self._log.mkdir(parents=True, exist_ok=True)
        for torn in unfinished(self._log):
            self.get_logger().warning(f"repaired {torn.name}: {repair(torn)}")
        self._tally = Tally.of(self._log, name)
        self._hands = RosHands(self, cell, self._log, cameras, source, task)
        self._routine = Routine(self._hands, Places.of(cell), np.random.default_rng(seed))
        self._counts: Counter[str] = Counter()
        self._labels: dict[str, Verdict] = {}
        self._stored, self._broken = "", 0
        self._going = threading.Event()
        self._going.set()
        self._handle: Any = None
        self._verdicts = self.create_publisher(VerdictMessage, "/episode/verdict", EVERY)
        self._action = ThreadedAction(self, RunEpisodes, "~/run", self._asked, self._hands.stopping)
        self.create_service(Trigger, "~/pause", self._pause)
        self.create_service(Trigger, "~/resume", self._resume)
        self.create_service(Label, "~/label", self._label)
        Diagnostics(self, self._health)
        self._hands.say(Phase.IDLE)
        if episodes:  # asked by itself, as anybody else would
            self._client = ActionClient(self, RunEpisodes, "~/run")
            self._asking = self.create_timer(0.1, lambda: self._ask(episodes))

    # Asked, in the executor's thread ------------------------------------------------------------

    def _ask(self, episodes: int) -> None:
        if self._client.server_is_ready():
            self._asking.cancel()
            sent = self._client.send_goal_async(RunEpisodes.Goal(episodes=episodes))
            sent.add_done_callback(
                lambda f: f.result().get_result_async().add_done_callback(lambda _: self._played())
            )

    def _played(self) -> None:
        if self._exits:
            rclpy.shutdown()

    def _pause(self, _: Any, response: Any) -> Any:
        """After the episode that is being played."""
        self._going.clear()
        response.success = True
        return response

    def _resume(self, _: Any, response: Any) -> Any:
        self._going.set()
        response.success = True
        return response

    def _label(self, request: Any, response: Any) -> Any:
        state = self._hands.state
        playing = Phase.ROLLOUT <= state.phase < Phase.STORE
        # The last one: what comes next may be under way already, but nobody has seen it.
        episode = request.episode_id or (state.episode_id if playing else self._stored)
        if not episode:
            response.message = "episode_id: found none, wanted an episode; none was played yet"
            return response
        verdict = Verdict(PERSON, request.success, reason=request.reason)
        if playing and episode == state.episode_id:
            self._labels[episode] = verdict  # into its own file, when that is closed
        else:
            with VerdictWriter(self._log) as labels:
                labels.add(episode, verdict)
        response.accepted, response.message = True, episode
        return response

    # Played, in the round's own thread -----------------------------------------------------------

    def _asked(self, handle: Any) -> tuple[Any, bool]:
        self._handle = handle
        message, good = self._round(handle.request.episodes)
        self.get_logger().info(f"done: {message}")
        state, self._handle = self._hands.state, None
        result = RunEpisodes.Result(
            episodes=state.number, successes=state.successes, message=message
        )
        return result, good

    def _round(self, episodes: int) -> tuple[str, bool]:
        state, failures = self._hands.state, 0
        self._broken = 0
        begun, self._tally = self._tally, Tally("")  # whoever asks next means another round
        state.number, state.planned, state.successes = begun.number, episodes, begun.successes
        try:
            self._hands.await_guard()
            while not begun.number and not self._noise_learnt():
                pass
            while not episodes or state.number < episodes:
                self._await_resume()
                state.number += 1
                replace(begun, number=state.number, successes=state.successes).keep(self._log)
                state.episode_id = new_episode_id()
                judged = self._episode(stir=failures >= STIR_AFTER)
                failures = 0 if judged or failures >= STIR_AFTER else failures + 1
            message, good = f"{state.successes} of {state.number} succeeded", True
        except (Interrupted, ExperienceError, OSError) as error:
            message, good = str(error), False
        self._hands.say(Phase.IDLE, message)
        return message, good

    def _noise_learnt(self) -> bool:
        try:
            self._routine.learn_noise(self._cycles)
        except Interrupted as error:
            self._recover(str(error))
            return False
        return True

    def _recover(self, problem: str) -> None:
        """Until the guard is ready for another go; after too many of them a person should look."""
        self._counts["broken off"] += 1
        self.get_logger().warning(f"broken off: {problem}")
        if self._hands.stopping.is_set():
            raise Interrupted("told to stop")
        # Whoever armed it again has looked.
        self._broken = 0 if self._hands.await_guard() else self._broken + 1
        if self._broken >= MOST_BROKEN:
            raise Interrupted(f"broken off {self._broken} times in a row: {problem}")

    def _await_resume(self) -> None:
        if not self._going.is_set():
            self._hands.say(Phase.PAUSED)
        while not self._going.wait(0.1):
            if self._hands.stopping.is_set():
                raise Interrupted("told to stop")

    def _episode(self, stir: bool) -> bool | None:
        """Whether it succeeded; None if it was broken off or nobody could tell."""
        hands, verdicts, problem = self._hands, list[Verdict](), ""
        try:
            rollout = self._routine.grasp(stir)
            problem = rollout.problem
            if rollout.over:
                verdicts = self._routine.judge()
        except Interrupted as error:
            problem = str(error)
        hands.say(Phase.STORE)
        if label := self._labels.pop(hands.state.episode_id, None):
            verdicts.append(label)
        self._store(verdicts)
        if problem:
            self._recover(problem)
            return None
        self._broken = 0
        found = success(verdicts)
        self._counts["success" if found else "nobody can tell" if found is None else "failure"] += 1
        hands.state.successes += found is True
        self._feed_back(found)
        return found

    def _store(self, verdicts: list[Verdict]) -> None:
        recorder = self._hands.take_recorder()
        if recorder is None:
            return
        recorder.store(verdicts)
        self._stored = self._hands.state.episode_id
        for verdict in verdicts:
            self._verdicts.publish(verdict_message(verdict, self._hands.state.episode_id))

    def _feed_back(self, found: bool | None) -> None:
        if self._handle is not None:
            state = self._hands.state
            self._handle.publish_feedback(
                RunEpisodes.Feedback(
                    number=state.number, episode_id=state.episode_id,
                    judged=found is not None, success=found is True,
                )
            )  # fmt: skip

    def _health(self) -> Health:
        state = self._hands.state
        words = f"{Phase(state.phase).name.lower()} {state.detail}".strip()
        return WARN if state.phase == Phase.WAITING else OK, words, dict(self._counts)

    def destroy_node(self) -> None:
        self._action.close()
        super().destroy_node()


def main(args: list[str] | None = None) -> None:
    run(EpisodeNode, args)


if __name__ == "__main__":
    main()
