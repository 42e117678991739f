"""What `make status` shows of a process: ready, ready without a server that it misses, or not ready."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import cast
from unittest.mock import PropertyMock, patch

import pytest

from deploy.local.ports import HOST, free_port
from deploy.local.process import Process
from deploy.local.stack import Stack
from deploy.local.supervisor import status_line


@contextmanager
def answering(status: int, body: bytes) -> Iterator[int]:
    """The port of an operations port that always says this."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Into no test's output."""

    with HTTPServer((HOST, 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def shown(port: int, folder: Path) -> str:
    process = Process("relay", ["relay"], {}, folder, folder / "log", port)
    stack = cast("Stack", type("OneProcess", (), {"servers": (), "processes": (process,)}))
    with patch.object(Process, "pid", new_callable=PropertyMock, return_value=1):
        return status_line(stack)


@pytest.mark.parametrize(
    ("status", "body", "state"),
    [
        (200, json.dumps({"degraded": []}).encode(), "ok"),
        (200, json.dumps({"degraded": ["event store", "Redis"]}).encode(), "DEGRADED (event store, Redis)"),
        (503, json.dumps({"degraded": ["Redis"]}).encode(), "NOT READY"),
        (200, b"not JSON", "ok"),
        (200, b"[]", "ok"),
    ],
)
def test_a_process_is_shown_as_its_operations_port_says(
    status: int, body: bytes, state: str, tmp_path: Path
) -> None:
    with answering(status, body) as port:
        assert shown(port, tmp_path) == f"relay: {state}"


def test_a_process_that_does_not_answer_is_not_ready(tmp_path: Path) -> None:
    assert shown(free_port(), tmp_path) == "relay: NOT READY"
