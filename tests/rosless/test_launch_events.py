"""Events: who hears of a process, and what ends the launch."""

from __future__ import annotations

import asyncio
import sys

import pytest
from launch import LaunchDescription, LaunchService
from launch.actions import RegisterEventHandler, Shutdown
from launch.event_handlers import OnProcessExit, OnProcessIO, OnShutdown
from launch.events.process import ProcessExited, ProcessIO
from launching import HEARS, Call, matched, python, run, when_ready


def test_events_tell_of_a_process() -> None:
    seen: list[object] = []
    process = python("import os; os.write(1, b'ready\\n'); os._exit(4)")

    def hear(event: object, _: object = None) -> None:
        seen.append(event)

    result = run(
        RegisterEventHandler(OnProcessIO(target_action=process, on_stdout=hear, on_stderr=hear)),
        RegisterEventHandler(OnProcessExit(target_action=lambda it: it is process, on_exit=hear)),
        RegisterEventHandler(OnProcessExit(target_action=python("other"), on_exit=hear)),
        process,
    )
    said, exited = seen
    assert isinstance(said, ProcessIO)
    assert isinstance(exited, ProcessExited)
    assert (said.text, said.from_stdout, said.from_stderr) == (b"ready\n", True, False)
    assert (exited.returncode, exited.action) == (4, process)
    assert process.return_code == 4
    assert said.pid == exited.pid == int(matched(r"pid \[(\d+)\]", result)[1])
    assert said.process_name == process.name
    assert exited.cmd[0] == sys.executable


def test_order_one_process_after_another() -> None:
    first, second = python("print('first')"), python("print('second')", name="then")
    result = run(RegisterEventHandler(OnProcessExit(target_action=first, on_exit=[second])), first)
    assert result.said("it") == ["first"]
    assert result.said("then") == ["second"]
    assert result.text.index("finished cleanly") < result.text.index("[then-")


def test_target_that_is_no_action() -> None:
    with pytest.raises(TypeError, match="OnProcessExit: target_action is 'it', wanted an action"):
        OnProcessExit(target_action="it", on_exit=[])  # type: ignore[arg-type]


def test_required_process_shuts_the_launch_down() -> None:
    reasons = []

    def hear(event: object, _: object) -> None:
        reasons.append(event.reason)  # type: ignore[attr-defined]

    other = python(HEARS, "SIGINT", name="other")
    required = python("raise SystemExit(2)", on_exit=Shutdown(reason="it is gone"))
    handler = RegisterEventHandler(OnShutdown(on_shutdown=hear))
    result = run(handler, other, when_ready(other, required))
    assert result.code == 0
    matched(r"^\[INFO\] \[launch\]: shutting down launched system: it is gone$", result)
    assert reasons == ["it is gone"]
    assert result.said("other") == ["ready", "got SIGINT"]
    assert "exit code 2" in result.text


def test_nothing_is_started_once_it_shuts_down() -> None:
    late = RegisterEventHandler(OnShutdown(on_shutdown=[python("print('late')")]))
    result = run(late, python("", on_exit=[Shutdown()]))
    assert result.code == 0
    assert result.text.count("process started with") == 1


def test_failure_of_launch_ends_what_runs() -> None:
    def fail(_: object) -> None:
        raise ZeroDivisionError("of the launch file")

    process = python(HEARS, "SIGINT")
    result = run(process, when_ready(process, Call(fail)))
    assert result.code == 1
    assert "Caught exception in launch (see debug for traceback): of the launch file" in result.text
    assert result.said("it") == ["ready", "got SIGINT"]


def test_failure_while_it_shuts_down_keeps_nobody_alive() -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("at the end")

    process = python(HEARS, "SIGINT")
    late = RegisterEventHandler(OnShutdown(on_shutdown=fail))  # hears of it before the process
    result = run(process, late, when_ready(process, Shutdown()))
    assert result.code == 1
    assert result.text.count("Caught exception in launch") == 1
    assert result.said("it") == ["ready", "got SIGINT"]


def test_run_that_is_cancelled_ends_what_runs() -> None:
    process = python(HEARS, "SIGINT")

    async def cancelled(service: LaunchService) -> int:
        running = asyncio.ensure_future(service.run_async())

        def cancel(_: object) -> None:
            running.cancel()

        tell = Call(cancel)
        service.include_launch_description(LaunchDescription([when_ready(process, tell)]))
        return await running

    result = run(process, drive=lambda service: asyncio.run(cancelled(service)))
    assert result.code == 1
    assert result.said("it") == ["ready", "got SIGINT"]
