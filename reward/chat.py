"""Asks a vision language model behind an OpenAI-compatible endpoint (vLLM, llama.cpp, a cloud).

    chat = Chat(Endpoint("http://127.0.0.1:8000/v1", "qwen"), folder / "vlm")
    answer = chat.ask("Which is nearer to the goal?", [one, other], Answer)

Whatever the endpoint does, `ask` returns or raises `Unanswered` within the deadline. Each question
and each answer is written down; what was answered once is not asked again, and nothing is asked
beyond the budget or faster than agreed. The key comes from the environment and goes nowhere else.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import cv2

from policy.contract import ContractError, Invalid, Strict, decode_json
from policy.contract.files import write_atomic
from policy.contract.strict import adapter

from .detector import Picture
from .post import Unanswered, post

T = TypeVar("T")
QUALITY = 90  # of a JPEG
AGAIN = frozenset({408, 409, 425, 429, 500, 502, 503, 504})
PAUSE_S = 0.3  # before it is asked again, doubled each time


@dataclass(frozen=True)
class Endpoint(Strict):
    url: str  # up to and without /chat/completions
    model: str
    key_from: str = "REGRASP_VLM_KEY"  # the environment variable that holds the key, if one is due
    deadline_s: float = 20.0  # of a question, all tries together
    tries: int = 3
    per_minute: int = 30
    budget: int = 2000  # tries in all; the journal counts them
    tokens: int = 400  # of an answer

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise Invalid("url", self.url, "http://HOST/v1 or https://HOST/v1", "correct it")
        for name in ("deadline_s", "tries", "per_minute", "budget", "tokens"):
            if not getattr(self, name) > 0:
                raise Invalid(name, getattr(self, name), "more than 0", "correct it")


class Chat:
    def __init__(self, endpoint: Endpoint, folder: Path) -> None:
        self.endpoint, self._folder = endpoint, folder
        self._journal = folder / "journal.jsonl"
        folder.mkdir(parents=True, exist_ok=True)
        self._recent: deque[float] = deque(maxlen=endpoint.per_minute)
        self.spent = 0
        if self._journal.exists():
            with self._journal.open() as lines:
                self.spent = sum('"answer"' in line for line in lines)

    def ask(self, text: str, pictures: Sequence[Picture], answer: type[T]) -> T:
        """As that dataclass; its JSON schema goes with the question."""
        until = time.monotonic() + self.endpoint.deadline_s
        question = self._question(text, pictures, answer)
        body = json.dumps(question, sort_keys=True).encode()
        known = self._folder / "answers" / f"{hashlib.sha256(body).hexdigest()}.json"
        if known.exists():
            return decode_json(answer, known.read_text(), str(known))
        content = self._insist(body, until)
        try:
            found = decode_json(answer, _bare(content), "answer")
        except ContractError as error:
            raise Unanswered(f"the answer is not of the form asked for: {error}"[:500]) from None
        known.parent.mkdir(exist_ok=True)
        write_atomic(known, _bare(content).encode())
        return found

    def _question(self, text: str, pictures: Sequence[Picture], answer: type) -> dict[str, Any]:
        parts: list[dict[str, Any]] = [{"type": "text", "text": text}]
        for picture in pictures:
            done, data = cv2.imencode(
                ".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, QUALITY]
            )
            assert done
            coded = base64.b64encode(data.tobytes()).decode()
            url = f"data:image/jpeg;base64,{coded}"
            parts.append({"type": "image_url", "image_url": {"url": url}})
        schema = {"name": answer.__name__, "schema": adapter(answer).json_schema(), "strict": True}
        return {
            "model": self.endpoint.model,
            "messages": [{"role": "user", "content": parts}],
            "response_format": {"type": "json_schema", "json_schema": schema},
            "temperature": 0,
            "max_tokens": self.endpoint.tokens,
        }

    def _insist(self, body: bytes, until: float) -> str:
        """The text of the answer, from one of some tries."""
        name, pause = self._kept(body), PAUSE_S
        for number in range(1, self.endpoint.tries + 1):
            self._afford()
            begin = time.monotonic()
            try:
                status, data = post(
                    f"{self.endpoint.url.rstrip('/')}/chat/completions",
                    body,
                    self._headers(),
                    until,
                )
                if status == 200:
                    content = _content(data)
                    self._write_down(name, begin, content)
                    return content
                raise Unanswered(f"status {status}: {data[:200]!r}", status in AGAIN)
            except Unanswered as error:
                self._write_down(name, begin, None, str(error))
                last = number == self.endpoint.tries
                if last or not error.again or time.monotonic() + pause > until:
                    raise
            time.sleep(pause)
            pause *= 2
        raise AssertionError("a try returns or raises")

    def _afford(self) -> None:
        now = time.monotonic()
        if self.spent >= self.endpoint.budget:
            raise Unanswered(f"the budget of {self.endpoint.budget} questions is spent")
        if len(self._recent) == self.endpoint.per_minute and now - self._recent[0] < 60:
            raise Unanswered(f"more than {self.endpoint.per_minute} questions a minute")
        self._recent.append(now)
        self.spent += 1

    def _headers(self) -> Mapping[str, str]:
        key = os.environ.get(self.endpoint.key_from, "")
        return {"Content-Type": "application/json"} | (
            {"Authorization": f"Bearer {key}"} if key else {}
        )

    def _kept(self, body: bytes) -> str:
        """The whole question, in a file of its own; its name."""
        path = self._folder / "questions" / f"{hashlib.sha256(body).hexdigest()}.json"
        path.parent.mkdir(exist_ok=True)
        if not path.exists():
            write_atomic(path, body)
        return path.name

    def _write_down(self, question: str, begin: float, answer: str | None, why: str = "") -> None:
        line = {
            "time": time.time(), "question": question, "answer": answer, "problem": why,
            "seconds": round(time.monotonic() - begin, 3),
        }  # fmt: skip
        with self._journal.open("a") as file:
            file.write(json.dumps(line) + "\n")


def _content(data: bytes) -> str:
    try:
        content = json.loads(data)["choices"][0]["message"]["content"]
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise Unanswered(f"no chat completion: {type(error).__name__} in {data[:100]!r}") from None
    if not isinstance(content, str):
        raise Unanswered(f"no text in the answer but {type(content).__name__}")
    return content


def _bare(content: str) -> str:
    """Without the fence that some models put around JSON."""
    text = content.strip()
    if text.startswith("```") and text.endswith("```"):
        text = text.strip("`").removeprefix("json")
    return text.strip()
