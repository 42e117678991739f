"""`python -m deploy.local.traces.receiver PORT FILE`: takes spans by OTLP over HTTP and keeps them in a file.

For developers and tests, in place of a collector and Jaeger: protobuf and JSON, gzip or not, traces only.
"""

import base64
import gzip
import http
import json
import signal
import sys
import threading
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import FrameType
from typing import Any

from google.protobuf.json_format import ParseDict, ParseError
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from deploy.local.ports import HOST
from deploy.local.traces.spans import spans_of
from deploy.local.traces.store import TraceStore

TRACES_PATH = "/v1/traces"
BODY_BYTES_MAX = 64 * 1024 * 1024
_READ_SECONDS_MAX = 30.0
_IDS = frozenset({"traceId", "spanId", "parentSpanId"})
_PROTOBUF, _JSON = "application/x-protobuf", "application/json"


class TraceReceiver(ThreadingHTTPServer):
    """Serves until `shutdown`; `port` 0 takes a free one."""

    daemon_threads = True

    def __init__(self, store: TraceStore, port: int = 0) -> None:
        super().__init__((HOST, port), _Handler)
        self.store = store

    @property
    def endpoint(self) -> str:
        """For OTEL_EXPORTER_OTLP_ENDPOINT."""
        return f"http://{HOST}:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: TraceReceiver
    protocol_version = "HTTP/1.1"
    timeout = _READ_SECONDS_MAX

    def do_GET(self) -> None:
        """For the check whether it is ready."""
        self._answer(http.HTTPStatus.OK if self.path == "/" else http.HTTPStatus.NOT_FOUND)

    def do_POST(self) -> None:
        """An export of spans."""
        length = self.headers.get("content-length", "")
        if not length.isdecimal() or int(length) > BODY_BYTES_MAX:
            self.close_connection = True
            return self._answer(http.HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        body = self.rfile.read(int(length))
        if self.path != TRACES_PATH:
            return self._answer(http.HTTPStatus.NOT_FOUND)
        try:
            request = self._read(body)
        except (DecodeError, ParseError, OSError, EOFError, zlib.error, ValueError, TypeError):
            return self._answer(http.HTTPStatus.BAD_REQUEST)
        self.server.store.add(spans_of(request))
        if self._is_json:
            return self._answer(http.HTTPStatus.OK, b"{}", _JSON)
        return self._answer(http.HTTPStatus.OK, ExportTraceServiceResponse().SerializeToString(), _PROTOBUF)

    @property
    def _is_json(self) -> bool:
        return self.headers.get_content_type() == _JSON

    def _read(self, body: bytes) -> ExportTraceServiceRequest:
        if self.headers.get("content-encoding", "identity") == "gzip":
            body = gzip.decompress(body)
        request = ExportTraceServiceRequest()
        if self._is_json:
            ParseDict(_with_protobuf_ids(json.loads(body)), request, ignore_unknown_fields=True)
        else:
            request.ParseFromString(body)
        return request

    def _answer(self, status: http.HTTPStatus, body: bytes = b"", media_type: str = "text/plain") -> None:
        self.send_response(status)
        self.send_header("content-type", media_type)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the name of http.server
        """No line for each export."""


def _with_protobuf_ids(value: Any) -> Any:
    """OTLP writes ids in JSON as hexadecimal digits, where protobuf's JSON has base64."""
    if isinstance(value, list):
        return [_with_protobuf_ids(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        name: base64.b64encode(bytes.fromhex(one)).decode() if name in _IDS else _with_protobuf_ids(one)
        for name, one in value.items()
    }


def serve(port: int, path: Path) -> None:
    """Serve until SIGTERM."""
    receiver = TraceReceiver(TraceStore(path), port)

    def stop(_number: int, _frame: FrameType | None) -> None:
        threading.Thread(target=receiver.shutdown).start()  # it would wait for itself here

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    with receiver:
        receiver.serve_forever()


if __name__ == "__main__":
    serve(int(sys.argv[1]), Path(sys.argv[2]))
