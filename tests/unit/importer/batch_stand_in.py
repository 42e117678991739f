"""A tiny batch endpoint on a real port: what the importer needs of the API, with faults to order."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn

from tests.unit.importer.stand_in_products import Refused, slug_in, upserted

_MOVES = {
    ("publish", "draft"): "active",
    ("archive", "active"): "archived",
    ("restore", "archived"): "active",
}
_WANTED = {"publish": "active", "archive": "archived", "restore": "active"}


@dataclass
class Fault:
    """What the next request gets instead of 207; `after_work` means that it was done all the same."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    after_work: bool = False


@dataclass
class BatchStandIn:
    """Products by slug; SKUs unique; answers kept per key and index."""

    url: str = ""
    says_changed: bool = True
    says_events: bool = True
    products: dict[str, dict[str, Any]] = field(default_factory=dict, repr=False)
    requests: list[tuple[str, list[dict[str, Any]]]] = field(default_factory=list, repr=False)
    faults: list[Fault] = field(default_factory=list)
    unavailable_items: int = 0
    events: int = 0
    takes_reports: bool = True
    report_status: int = 204
    reports: dict[str, dict[str, Any]] = field(default_factory=dict, repr=False)
    lets_in: Callable[[str], bool] = field(default=lambda authorization: True, repr=False)
    import_ids: set[str] = field(default_factory=set, repr=False)
    _answers: dict[str, dict[str, Any]] = field(default_factory=dict, repr=False)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        status, answer, extra = self._serve(scope["path"], headers, body)
        raw = [(name.encode(), value.encode()) for name, value in extra.items()]
        await send({"type": "http.response.start", "status": status, "headers": raw})
        await send(
            {"type": "http.response.body", "body": b"" if answer is None else json.dumps(answer).encode()}
        )

    def _serve(self, path: str, headers: dict[str, str], body: bytes) -> tuple[int, Any, dict[str, str]]:
        if path.startswith("/v1/imports/") and self.takes_reports:
            self.reports[path.removeprefix("/v1/imports/")] = json.loads(body)
            return self.report_status, None, {}
        if path != "/v1/products:batch":
            return 404, {"code": "not-found", "detail": "no such resource"}, {}
        assert headers["content-type"] == "application/x-ndjson"
        if not self.lets_in(headers.get("authorization", "")):
            return 401, {"code": "invalid-token", "detail": "the token has expired"}, {}
        key = headers["idempotency-key"]
        self.import_ids.add(headers["import-id"])
        operations = [json.loads(line) for line in body.splitlines()]
        self.requests.append((key, operations))
        fault = self.faults.pop(0) if self.faults else None
        if fault and not fault.after_work:
            return fault.status, {"code": "store-unavailable", "detail": "no"}, fault.headers
        results = [self._item(f"{key}/{index}", index, op) for index, op in enumerate(operations)]
        if fault:
            return fault.status, {"code": "outcome-unknown", "detail": "perhaps"}, fault.headers
        extra = {"retry-after": "0"} if any(result["status"] == 503 for result in results) else {}
        return 207, {"results": results}, extra

    def _item(self, key: str, index: int, operation: dict[str, Any]) -> dict[str, Any]:
        if key in self._answers:
            return self._answers[key]
        if self.unavailable_items:
            self.unavailable_items -= 1
            return {"index": index, "status": 503, "problem": {"code": "store-unavailable"}}
        answer = self._upsert(operation["product"]) if operation["op"] == "upsert" else self._move(operation)
        answer["index"] = index
        if not self.says_changed:
            answer.pop("changed", None)
            answer.pop("product_status", None)
        if "problem" not in answer:
            self._answers[key] = answer
        return answer

    def _upsert(self, product: dict[str, Any]) -> dict[str, Any]:
        try:
            slug = slug_in(product)
            stored = self.products.get(slug)
            body = upserted(stored["body"] if stored else None, product)
            self._refuse_taken(slug, body)
        except Refused as refused:
            return {"status": refused.status, "problem": refused.problem}
        if stored is None:
            self.products[slug] = stored = {
                "id": f"id-{len(self.products)}",
                "slug": slug,
                "status": "draft",
                "version": 0,
                "body": None,
            }
        created, changed = stored["version"] == 0, stored["body"] != body
        stored["body"] = body
        return self._done(stored, 201 if created else 200, changed)

    def _refuse_taken(self, slug: str, body: dict[str, Any]) -> None:
        """As the API does: every SKU that another product holds, with that product."""
        holders = {
            variant["sku"]: other
            for other in self.products.values()
            if other["slug"] != slug
            for variant in other["body"]["variants"]
        }
        conflicts = [
            {"sku": sku, "product_id": holders[sku]["id"], "slug": holders[sku]["slug"]}
            for sku in (variant["sku"] for variant in body["variants"])
            if sku in holders
        ]
        if conflicts:
            detail = f"the SKU {conflicts[0]['sku']!r} belongs to another product"
            raise Refused(409, "sku-taken", detail, conflicts=conflicts)

    def _move(self, operation: dict[str, Any]) -> dict[str, Any]:
        stored = next((each for each in self.products.values() if each["id"] == operation["id"]), None)
        if stored is None:
            return {"status": 404, "problem": {"code": "not-found"}}
        op, status = operation["op"], stored["status"]
        if status == _WANTED[op]:
            return self._done(stored, 200, False)
        if (op, status) not in _MOVES:
            return {"status": 409, "problem": {"code": "transition-not-allowed"}}
        stored["status"] = _MOVES[op, status]
        return self._done(stored, 200, True)

    def _done(self, stored: dict[str, Any], status: int, changed: bool) -> dict[str, Any]:
        stored["version"] += changed
        self.events += changed
        return {
            "status": status,
            "id": stored["id"],
            "version": stored["version"],
            "changed": changed,
            "product_status": stored["status"],
            **({"events": int(changed)} if self.says_events else {}),
        }


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()


@contextmanager
def served(stand_in: BatchStandIn) -> Iterator[BatchStandIn]:
    """Serves it on a free port, from a thread of its own: the importer brings its own event loop."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        stand_in.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        server = _Server(uvicorn.Config(stand_in, lifespan="off", ws="none", log_config=None))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            assert server.listening.wait(30)
            yield stand_in
        finally:
            server.should_exit = True
            thread.join()
