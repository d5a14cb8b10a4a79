"""Stages: each once, after what it needs, and after a failure from where it was."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from policy.contract import Invalid
from sim2real.stages import Failed, Stage, carry_out

HOUSE = Path(__file__).resolve().parents[2]


def says(name: str, path: Path, *needs: str) -> Stage:
    """Appends its name to the file."""
    text = f"open({str(path)!r}, 'a').write({name!r} + ' ')"
    return Stage(name, (sys.executable, "-c", text), needs)


def test_each_comes_once_and_after_what_it_needs(tmp_path: Path) -> None:
    heard = tmp_path / "heard"
    stages = [says("c", heard, "a", "b"), says("b", heard, "a"), says("a", heard)]
    for _ in range(2):
        carry_out(stages, tmp_path / "out", 2, os.environ)
        assert heard.read_text() == "a b c "
    carry_out([*stages, says("d", heard, "c")], tmp_path / "out", 2, os.environ)
    assert heard.read_text() == "a b c d "


def test_as_many_at_a_time_as_there_are_jobs(tmp_path: Path) -> None:
    """Two that wait for each other end only together."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    one = Stage("one", (sys.executable, "-c", f"open({str(pipe)!r}, 'w').write('hello')"))
    two = Stage("two", (sys.executable, "-c", f"print(open({str(pipe)!r}).read())"))
    carry_out([one, two], tmp_path, 2, os.environ)
    assert (tmp_path / "two.log").read_text() == "hello\n"


def test_a_failure_is_told_by_its_last_words_and_keeps_what_was_done(tmp_path: Path) -> None:
    heard = tmp_path / "heard"
    broken = Stage("broken", (sys.executable, "-c", "raise SystemExit('no disk')"), ("a",))
    with pytest.raises(Failed, match=r"broken: no disk \(status 1; all it said: .*broken.log\)"):
        carry_out([says("a", heard), broken, says("b", heard, "broken")], tmp_path, 1, os.environ)
    mended = says("broken", heard, "a")
    carry_out([says("a", heard), mended, says("b", heard, "broken")], tmp_path, 1, os.environ)
    assert heard.read_text() == "a broken b "


def test_what_was_made_by_another_command_is_not_taken(tmp_path: Path) -> None:
    heard = tmp_path / "heard"
    carry_out([says("a", heard)], tmp_path, 1, os.environ)
    other = Stage("a", (sys.executable, "-c", "pass"))
    later = [says("c", heard, "b"), says("b", heard, "a"), says("d", heard)]
    with pytest.raises(Invalid, match=r"a\.done: found .* another directory; .* of a, b, c$"):
        carry_out([other, *later], tmp_path, 1, os.environ)
    assert heard.read_text() == "a "


def test_a_command_that_outlived_who_started_it_is_waited_for(tmp_path: Path) -> None:
    heard, pipe = tmp_path / "heard", tmp_path / "pipe"
    os.mkfifo(pipe)
    say = f"open({str(heard)!r}, 'a').write"
    text = f"{say}('begun '); open({str(pipe)!r}).read(); {say}('ended ')"
    stage = Stage("a", (sys.executable, "-c", text))
    first = f"""
import os
from pathlib import Path
from sim2real.stages import Stage, carry_out
carry_out([{stage!r}], Path({str(tmp_path)!r}), 1, os.environ)
"""
    with subprocess.Popen([sys.executable, "-c", first], cwd=HOUSE) as starter:
        writing = pipe.open("w")  # waits until the command has begun, and reads
        starter.kill()
    with (tmp_path / "a.log").open() as log, pytest.raises(BlockingIOError):
        fcntl.flock(log, fcntl.LOCK_EX | fcntl.LOCK_NB)
    with ThreadPoolExecutor(1) as pool:
        again = pool.submit(carry_out, [says("a", heard)], tmp_path, 1, os.environ)
        writing.close()
        again.result()
    assert heard.read_text() == "begun ended a "


def test_a_circle_is_told(tmp_path: Path) -> None:
    heard = tmp_path / "heard"
    with pytest.raises(Invalid, match="needs: found 'a, b', wanted stages that need only one"):
        carry_out([says("a", heard, "b"), says("b", heard, "a")], tmp_path, 2, os.environ)
