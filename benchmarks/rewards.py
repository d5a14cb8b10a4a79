"""What each detector is worth, and when the gate notices that one no longer is.

    python -m benchmarks.rewards runs/rewards [--out benchmarks/results/rewards.json]

On the episodes of benchmarks.reward_episodes, as many as there are. Who has to be trained is
trained on 300 episodes out of one half of every piece and judges the other half, in which other
things lie in the bin, and the other way round: so each verdict is of an episode that the detector
never saw. Then the cell changes: the pictures of one half as if a lamp had failed, the camera been
pushed, a hand been left in the picture; and the episodes that were played in another light, with
other things or with the hand half in the picture, where they are there. That is told room by room:
each detector gets its gate by half of the second half, is watched on the rest, and then on the
changed cell, while a person checks every tenth episode.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from tqdm import tqdm

from benchmarks.harness import machine
from policy.contract import Invalid, encode
from policy.experience.episode import Verdict
from policy.experience.pictures import captioned, stacked, write_picture
from policy.experience.rate import Rate
from reward import perceptual, prefer, train
from reward.album import Pair
from reward.asking import gather, of_labels
from reward.detector import Detector, Picture, Setup, detector

from .reward_cases import CHANGES, PLAYED, Case, cases, some
from .reward_scores import RULED, combined, gate_of, mixed, noticed, row

RESULT = Path(__file__).with_name("results") / "rewards.json"
COMMAND = (
    "python -m benchmarks.reward_episodes DIR; "
    "python -m benchmarks.reward_episodes DIR --pieces 3 --scenario light (objects, occluded); "
    "python -m benchmarks.rewards DIR"
)
SHOWN = 5  # episodes of each kind that the perceptual reward is shown
LABELLED = 300  # episodes that the others are taught by: what a person may label in an hour
ASKED = 120  # pairs that the preference reward is
EPOCHS = 15  # of its training: three networks learn
TILE = 460  # px
CHANGED = 300  # episodes that are shown as in a changed cell
ALONE = ("subtraction", "perceptual", "classifier", "preference")
Tried = tuple[Case, Verdict]


class Trained:
    """Who judges one half, by what the other half taught. Noise is each piece's own."""

    def __init__(self, base: Path, known: Sequence[Case], half: int) -> None:
        mine = [case for case in known if case.half != half]
        self._pieces = list(dict.fromkeys(case.piece for case in known))
        taught = [(case.example, case.truth) for case in some(mine, LABELLED)]
        shown = [one for one, _ in taught]
        shared = base / "shared"
        Setup(Setup.load(self._pieces[0] / "reward").masks, shared).save()
        print(*train.train(shared, taught), sep="\n")
        list(gather(shared, shown, ASKED, of_labels, "labels", 0))
        prefer.train(shared, shown, taught, EPOCHS)
        self._detectors: dict[tuple[str, Path], Detector] = {}
        for piece in self._pieces:
            own = base / piece.name
            shutil.copytree(piece / "reward", own, dirs_exist_ok=True)
            setup = Setup.load(own)
            for truth in (True, False):
                few = [c.example for c in mine if c.piece == piece and c.truth == truth][:SHOWN]
                perceptual.show(setup, [(one, truth) for one in few])
            for name in ALONE:
                if name in ("classifier", "preference"):
                    shutil.copy(shared / f"{name}_front.onnx", own)
                try:
                    self._detectors[name, piece] = detector(name, setup)
                except Invalid as error:
                    print(error)

    def judge(self, name: str, case: Case, pair: Pair) -> tuple[Verdict, float]:
        found = self._detectors.get((name, self._piece(case)))
        if found is None:
            return Verdict(name, False, 0.0, abstained=True, reason="not enough was shown"), 0.0
        begin = time.perf_counter()
        verdict = found.judge(pair.before, pair.after)
        spent = time.perf_counter() - begin
        return Verdict(**{k: v for k, v in vars(verdict).items() if k != "evidence"}), spent

    def shown(self, known: Sequence[Case]) -> Picture:
        """Each detector's evidence of a success, and of a failure."""
        able = [c for c in known if all((name, c.piece) in self._detectors for name in ALONE)]
        rows = []
        for name in ALONE:
            found = []
            for truth in (True, False):
                case = next(c for c in able if c.truth == truth)
                pair = case.example.pair
                verdict = self._detectors[name, case.piece].judge(pair.before, pair.after)
                assert verdict.evidence is not None
                found.append(_tile(verdict.evidence))
            rows.append(captioned(np.ascontiguousarray(np.hstack(found)), name))
        return stacked(rows)

    def _piece(self, case: Case) -> Path:
        """The usual piece of the same room and seed."""
        return next(
            p for p in self._pieces if p.name.split("-")[1:] == case.piece.name.split("-")[1:]
        )


def _tile(picture: Picture) -> Picture:
    height = round(TILE * picture.shape[0] / picture.shape[1])
    return np.asarray(cv2.resize(picture, (TILE, height), interpolation=cv2.INTER_AREA), np.uint8)


def watched(usual: Sequence[Tried], changed: Sequence[Tried], base: Path) -> dict[str, Any]:
    """Room by room, which are cells; and what verdicts are worth in the changed ones together."""
    rooms = sorted({case.room for case, _ in usual})
    found = {}
    for room in rooms:
        calm, after = (
            [(v, c.truth) for c, v in tried if c.room == room] for tried in (usual, changed)
        )
        found[room] = noticed(calm, after, base)
    return {"rooms": found, **row([v for _, v in changed], [c.truth for c, _ in changed])}


def study(
    folder: Path, base: Path, picture: Path | None = None, kept: Path | None = None
) -> dict[str, Any]:
    known = list(cases(folder, "usual"))
    said: dict[str, list[Verdict]] = {name: [] for name in ALONE}
    spent: dict[str, list[float]] = {name: [] for name in ALONE}
    ordered: list[Case] = []
    drift: dict[str, dict[str, list[Tried]]] = {}
    odd = {name: list(cases(folder, name)) for name in PLAYED}
    for half in (0, 1):
        trained = Trained(base / str(half), known, half)
        mine = [case for case in known if case.half == half]
        ordered += mine
        for case in tqdm(mine, f"half {half}"):
            pair = case.example.pair
            for name in ALONE:
                verdict, seconds = trained.judge(name, case, pair)
                said[name].append(verdict)
                spent[name].append(seconds)
        if half == 0:
            if picture is not None:
                write_picture(picture, trained.shown(mine))
            continue
        for change, alter in CHANGES.items():
            for case in tqdm(some(mine, CHANGED), change):
                pair = case.example.pair
                seen = Pair({c: alter(p) for c, p in pair.before.items()},
                            {c: alter(p) for c, p in pair.after.items()})  # fmt: skip
                for name in ALONE:
                    verdict, _ = trained.judge(name, case, seen)
                    drift.setdefault(change, {}).setdefault(name, []).append((case, verdict))
        for scenario, words in PLAYED.items():
            for case in tqdm(odd[scenario], words):
                for name in ALONE:
                    verdict, _ = trained.judge(name, case, case.example.pair)
                    drift.setdefault(words, {}).setdefault(name, []).append((case, verdict))
    truths = [case.truth for case in ordered]
    if kept is not None:
        pairs = {name: list(zip(map(encode, said[name]), truths, strict=True)) for name in ALONE}
        kept.write_text(json.dumps(pairs))
    said["fingers"] = [
        Verdict("fingers", False, 0.99, abstained=case.fingers is None) for case in ordered
    ]
    spent["fingers"] = [0.0] * len(ordered)
    table = {name: row(said[name], truths) for name in (*ALONE, "fingers")}
    for name in ALONE:
        judged = mixed(list(zip(said[name], truths, strict=True)))
        table[name]["gate"] = str(gate_of(judged)).partition(" ")[2]
    for words, (rule, who) in RULED.items():
        found, spent[words] = combined(rule, who, said, spent)
        table[words] = row(found, truths)
    for words, times in spent.items():
        table[words]["median_ms"] = round(1e3 * float(np.median(times)), 1)
        table[words]["p95_ms"] = round(1e3 * float(np.percentile(times, 95)), 1)
    rooms = {
        room: {
            name: row([v for v, c in zip(said[name], ordered, strict=True) if c.room == room],
                      [c.truth for c in ordered if c.room == room])
            for name in ALONE
        }
        for room in sorted({case.room for case in ordered})
    }  # fmt: skip
    count = sum(case.half == 0 for case in ordered)
    calm = {name: list(zip(ordered, said[name], strict=True))[count:] for name in ALONE}
    changes = {
        change: {name: watched(calm[name], tried, base) for name, tried in by_name.items()}
        for change, by_name in drift.items()
    }
    return {
        "episodes": len(ordered), "successes": sum(truths), "detectors": table, "rooms": rooms,
        "changes": changes,
    }  # fmt: skip


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rewards", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--out", type=Path, default=RESULT)
    parser.add_argument("--picture", type=Path, help="write what each detector sees into this JPEG")
    parser.add_argument("--verdicts", type=Path, help="write them, with the truth, as JSON")
    a = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as base:
        found = study(a.folder, Path(base), a.picture, a.verdicts)
    result = {
        "command": COMMAND,
        "machine": machine(["mujoco", "numpy", "opencv-python-headless", "torch"]),
        **found,
    }
    a.out.parent.mkdir(parents=True, exist_ok=True)
    a.out.write_text(json.dumps(result, indent=1) + "\n")
    print(table_of(result))


def table_of(result: dict[str, Any]) -> str:
    lines = [
        "| who | precision | recall | right | abstained | p50 | p95 |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, one in result["detectors"].items():
        rates = [
            str(Rate(one[k]["successes"], one[k]["tries"])) if one[k] else ""
            for k in ("precision", "recall", "right")
        ]
        ms = f"{one['median_ms']:.0f} ms | {one['p95_ms']:.0f} ms"
        silent = f"{one['abstained']['value']:.1%}"
        lines.append(f"| {name} | {' | '.join(rates)} | {silent} | {ms} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
