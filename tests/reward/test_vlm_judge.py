"""A vision language model as a judge, behind a real server: one that behaves, and many that do
not."""

from __future__ import annotations

import json
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bins import empty_cycles
from judged import mask, pair, small
from running import chat_server

from policy.contract import ContractError, Invalid
from reward.chat import Chat, Endpoint
from reward.detector import Setup, detector
from reward.panel import Panel
from reward.vlm_judge import FILE

DEADLINE = 1.5  # s
KEY = "REGRASP_VLM_KEY"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with chat_server() as found:
        yield found


def setup(folder: Path, url: str, model: str, **choices: Any) -> Setup:
    told = {"url": url, "model": model, "deadline_s": DEADLINE, **choices}
    (folder / FILE).write_text(json.dumps(told))
    return Setup({"front": mask()}, folder)


def asked(url: str) -> list[dict[str, Any]]:
    with urllib.request.urlopen(url) as answer:
        found: list[dict[str, Any]] = json.loads(answer.read())
    return found


@pytest.mark.parametrize("model", ["good", "fenced"])
def test_it_judges(tmp_path: Path, url: str, model: str) -> None:
    shown = pair(1, True)
    judge = detector("vlm_judge", setup(tmp_path, url, model, deadline_s=20.0))
    found = judge.judge(shown.before, shown.after)
    assert (found.success, found.confidence, found.abstained) == (True, 0.93, False)
    assert found.reason == "a red thing more"
    assert found.evidence is not None


def test_what_it_is_asked(tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY, "s3cret")
    shown = pair(2, True)
    judge = detector("vlm_judge", setup(tmp_path, url, "echo", deadline_s=20.0))
    judge.judge(shown.before, shown.after, {"wrist": shown.before["front"][None]}, "lift the cup")
    said = next(one for one in asked(url) if one["body"]["model"] == "echo")
    assert said["path"] == "/v1/chat/completions"
    assert said["key"] == "Bearer s3cret"
    text, *pictures = said["body"]["messages"][0]["content"]
    assert "lift the cup" in text["text"]
    assert len(pictures) == 4  # two of the bin, two moments
    assert all(p["image_url"]["url"].startswith("data:image/jpeg;base64,") for p in pictures)
    schema = said["body"]["response_format"]["json_schema"]["schema"]
    assert set(schema["required"]) == {"seen", "success", "confidence"}
    assert schema["additionalProperties"] is False
    # All of it is written down, but for the key.
    [line] = [json.loads(one) for one in (tmp_path / "vlm/journal.jsonl").read_text().splitlines()]
    question = (tmp_path / "vlm/questions" / line["question"]).read_text()
    assert json.loads(question)["messages"] == said["body"]["messages"]
    assert "a red thing more" in line["answer"]
    assert not any(b"s3cret" in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


def test_what_it_cannot_tell_is_an_abstention(tmp_path: Path, url: str) -> None:
    shown = pair(1, True)
    found = detector("vlm_judge", setup(tmp_path, url, "unsure", deadline_s=20.0)).judge(
        shown.before, shown.after
    )
    assert found.abstained
    assert found.reason == "a red thing more"


HOSTILE = {
    "silent": "in time", "dripping": "in time", "endless": "", "huge": "more than",
    "garbage": "no chat completion", "deep": "no chat completion", "listed": "no chat completion",
    "cut": "bytes early", "half": "form asked for", "prose": "form asked for", "odd": "success",
    "boasting": "confidence", "nothing": "form asked for", "500": "status 500",
    "404": "status 404", "429": "status 429",
}  # fmt: skip


@pytest.mark.parametrize("model", HOSTILE)
def test_whatever_the_endpoint_does_it_abstains_in_time(
    tmp_path: Path, url: str, model: str
) -> None:
    shown = pair(1, True)
    judge = detector("vlm_judge", setup(tmp_path, url, model))
    begin = time.monotonic()
    found = judge.judge(shown.before, shown.after)
    assert time.monotonic() - begin < 10 * DEADLINE  # the machine may be busy; a hang would be 600
    assert found.abstained
    assert HOSTILE[model] in found.reason
    assert len(found.reason) < 1000
    lines = [json.loads(one) for one in (tmp_path / "vlm/journal.jsonl").read_text().splitlines()]
    assert lines
    assert all(line["seconds"] < 10 * DEADLINE for line in lines)


def test_nobody_there_and_a_name_that_does_not_exist(tmp_path: Path) -> None:
    shown = pair(1, True)
    for place in ("http://127.0.0.1:9/v1", "http://nowhere.invalid/v1"):
        judge = detector("vlm_judge", setup(tmp_path, place, "good"))
        assert judge.judge(shown.before, shown.after).abstained


def test_no_thread_stays_behind_a_hanging_endpoint(tmp_path: Path, url: str) -> None:
    shown = pair(1, True)
    judge = detector("vlm_judge", setup(tmp_path, url, "dripping"))
    judge.judge(shown.before, shown.after)
    hanging = [thread for thread in threading.enumerate() if thread.name == "post"]
    for thread in hanging:
        thread.join(30)
        assert not thread.is_alive()


def test_a_busy_endpoint_is_asked_again(tmp_path: Path, url: str) -> None:
    shown = pair(1, True)
    judge = detector("vlm_judge", setup(tmp_path, url, "recovers", deadline_s=20.0))
    assert judge.judge(shown.before, shown.after).success
    lines = [json.loads(one) for one in (tmp_path / "vlm/journal.jsonl").read_text().splitlines()]
    assert [line["problem"][:10] for line in lines] == ["status 503", "status 503", ""]


def test_the_same_is_not_asked_twice_and_not_beyond_the_budget(tmp_path: Path, url: str) -> None:
    told = setup(tmp_path, url, "good", deadline_s=20.0, budget=2)
    one, other, third = (pair(seed, True) for seed in (1, 2, 3))
    judge = detector("vlm_judge", told)
    for shown in (one, one, other, one):
        assert judge.judge(shown.before, shown.after).success
    found = judge.judge(third.before, third.after)
    assert found.abstained
    assert "budget" in found.reason
    again = detector("vlm_judge", told)  # the journal counts, whoever reads it
    assert "budget" in again.judge(third.before, third.after).reason
    assert again.judge(other.before, other.after).success


def test_it_is_not_asked_faster_than_agreed(tmp_path: Path, url: str) -> None:
    judge = detector("vlm_judge", setup(tmp_path, url, "good", deadline_s=20.0, per_minute=1))
    shown = pair(1, True), pair(2, True)
    assert judge.judge(shown[0].before, shown[0].after).success
    assert "a minute" in judge.judge(shown[1].before, shown[1].after).reason


def test_the_next_detector_judges_where_it_fails(tmp_path: Path, url: str) -> None:
    panel = Panel.of("subtraction,vlm_judge", setup(tmp_path, url, "500"))
    for before, after in empty_cycles():
        panel.learn({"front": small(before)}, {"front": small(after)})
    panel = Panel.of("vote:subtraction,vlm_judge", setup(tmp_path, url, "500"))
    shown = pair(1, True)
    found = panel.judge(shown.before, shown.after)
    assert [(v.detector, v.abstained) for v in found] == [
        ("subtraction", False), ("vlm_judge", True), ("vote", False),
    ]  # fmt: skip
    assert found[-1].success


def test_a_folder_that_tells_no_endpoint_or_a_wrong_one(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match=r"vlm\.json: found 'no file'"):
        detector("vlm_judge", Setup({"front": mask()}, tmp_path))
    with pytest.raises(ContractError, match="url"):
        detector("vlm_judge", setup(tmp_path, "file:///etc/passwd", "x"))
    with pytest.raises(ContractError, match="key"):
        detector("vlm_judge", setup(tmp_path, "http://127.0.0.1/v1", "x", key="s3cret"))
    assert Chat(Endpoint("http://127.0.0.1/v1", "x"), tmp_path / "vlm").spent == 0
