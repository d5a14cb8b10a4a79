"""Commands that need one another's results: each is carried out once, as soon as it can be."""

from __future__ import annotations

import fcntl
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from policy.contract import Invalid
from policy.contract.files import write_atomic
from policy.experience.errors import ExperienceError


@dataclass(frozen=True)
class Stage:
    name: str
    command: tuple[str, ...]
    needs: tuple[str, ...] = ()  # names of others


class Failed(ExperienceError):
    """A command that did not do what it was asked for. What others have done is kept."""


def carry_out(
    stages: Iterable[Stage], directory: Path, jobs: int, environment: Mapping[str, str]
) -> None:
    """What a stage says goes into `directory/NAME.log`; `NAME.done` has the command that it was
    done by. The first that fails ends all, when those that run have ended."""
    left = {stage.name: stage for stage in stages}
    directory.mkdir(parents=True, exist_ok=True)
    done = {name for name in left if _is_done(left[name], directory, _after(name, left))}
    left = {name: stage for name, stage in left.items() if name not in done}
    running: dict[Future[None], str] = {}
    with (
        ThreadPoolExecutor(jobs) as pool,
        tqdm(total=len(left), unit=" stages", disable=not left) as bar,
    ):
        while left or running:
            ready = [s for s in left.values() if done.issuperset(s.needs)]
            if not (ready or running):
                found, wanted = ", ".join(left), "stages that need only one another, in no circle"
                raise Invalid("needs", found, wanted, "name what they need")
            for stage in ready[: jobs - len(running)]:
                del left[stage.name]
                running[pool.submit(_carry_out, stage, directory, environment)] = stage.name
            bar.set_postfix_str(", ".join(running.values()))
            ended, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in ended:
                done.add(running.pop(future))
                future.result()
                bar.update(1)


def _after(name: str, stages: Mapping[str, Stage]) -> list[str]:
    """All that needs it, itself included."""
    found = [name]
    for one in found:
        found += [s.name for s in stages.values() if one in s.needs and s.name not in found]
    return found


def _is_done(stage: Stage, directory: Path, after: Sequence[str]) -> bool:
    mark = directory / f"{stage.name}.done"
    if not mark.exists():
        return False
    if (found := mark.read_text()) != (wanted := _text(stage.command)):
        remedy = f"choose another directory; or delete NAME and NAME.* of {', '.join(after)}"
        raise Invalid(str(mark), found, wanted, remedy)
    return True


def _carry_out(stage: Stage, directory: Path, environment: Mapping[str, str]) -> None:
    path = directory / f"{stage.name}.log"
    with path.open("ab") as log:
        # Others may be at it, too; and a command that outlives us keeps the lock with its output.
        fcntl.flock(log, fcntl.LOCK_EX)
        if _is_done(stage, directory, [stage.name]):
            return
        ended = subprocess.run(
            stage.command, stdout=log, stderr=subprocess.STDOUT, env=environment, check=False
        )
        if ended.returncode:
            *_, last = ["", *path.read_text(errors="replace").splitlines()]
            raise Failed(f"{stage.name}: {last} (status {ended.returncode}; all it said: {path})")
        write_atomic(directory / f"{stage.name}.done", _text(stage.command).encode())


def _text(command: Sequence[str]) -> str:
    return " ".join(command)
