"""An endpoint that speaks OpenAI's chat completions, well or badly: a process of its own.

    python chat_server.py        prints its port; how it behaves is the model that is asked for

`echo` keeps what it was asked, and tells it to who asks for /asked.
"""

from __future__ import annotations

import json
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ASKED: list[dict[str, Any]] = []
GOOD = {"seen": "a red thing more", "success": "yes", "confidence": 0.93}
LOOKED = {"first": "the bin is empty", "second": "a thing has appeared"}
TEXTS = {
    "good": json.dumps(GOOD),
    "echo": json.dumps(GOOD),
    "fenced": f"```json\n{json.dumps(GOOD)}\n```",
    "unsure": json.dumps(GOOD | {"success": "cannot tell"}),
    "half": json.dumps(GOOD)[:30],
    "prose": "Sure! I think that the robot did very well.",
    "odd": json.dumps({"verdict": True}),
    "boasting": json.dumps(GOOD | {"confidence": 7}),
    "nothing": "",
}


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self._reply(200, json.dumps(ASKED).encode())

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        model = body["model"]
        ASKED.append({"path": self.path, "key": self.headers["Authorization"], "body": body})
        if model == "prefers":
            looks = "image_url" in str(body["messages"])
            self._reply(200, completion(json.dumps(LOOKED if looks else {"nearer": "second"})))
        elif model in TEXTS:
            self._reply(200, completion(TEXTS[model]))
        elif model == "silent":
            time.sleep(600)
        elif model == "dripping":
            self._drip()
        elif model == "endless":
            self.wfile.write(b"HTTP/1.1 200 OK\r\n")
            while True:
                self._send(b"X-More: and more\r\n")
        elif model == "huge":
            self._reply(200, completion("x" * 10_000_000))
        elif model == "garbage":
            self._reply(200, bytes(range(256)) * 4)
        elif model == "deep":
            self._reply(200, b"[" * 200_000)
        elif model == "listed":
            self._reply(200, b'{"choices": []}')
        elif model == "cut":
            self.send_response(200)
            self.send_header("Content-Length", "5000")
            self.end_headers()
            self._send(completion(TEXTS["good"]))
            self.close_connection = True
        elif model == "recovers":
            tries = sum(one["body"]["model"] == model for one in ASKED)
            good = completion(TEXTS["good"])
            self._reply(*((200, good) if tries > 2 else (503, b"busy")))
        else:
            self._reply(int(model), b"no")

    def _reply(self, status: int, data: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self._send(data)

    def _drip(self) -> None:
        """A byte now and then, of a header that does not end."""
        self._send(b"HTTP/1.1 200 OK\r\nX-Patience: ")
        while True:
            self._send(b"a")
            time.sleep(0.05)

    def _send(self, data: bytes) -> None:
        self.wfile.write(data)
        self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None:
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Who hangs up on us is right to."""


def completion(text: str) -> bytes:
    message = {"role": "assistant", "content": text}
    return json.dumps({"choices": [{"index": 0, "message": message}]}).encode()


if __name__ == "__main__":
    server = Server(("127.0.0.1", 0), Handler)
    print(server.server_address[1], flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        sys.exit()
