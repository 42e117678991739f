"""The evidence of an installation without a fault, made from a log of five events."""

import json
import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from tests.end_to_end.checker import Evidence
from tests.end_to_end.checks.history import History, Logged
from tests.end_to_end.checks.reads import Read
from tests.end_to_end.checks.topics import PARTITIONS, headers_of
from tests.end_to_end.checks.views.product_view import Row
from tests.end_to_end.fold import Document
from tests.end_to_end.kafka_topics import Published
from tests.end_to_end.ledger import Attempt, Command, Outcome
from tests.end_to_end.murmur2 import partition_of

LIVE, DELETED = "0192aaaa-0000-7000-8000-000000000001", "0192aaaa-0000-7000-8000-000000000002"
START = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)
DOLLARS = [{"amount": f"{n}.00", "currency": "USD"} for n in range(3)]


def logged(position: int, product_id: str, version: int, kind: str, data: Any, command: str) -> Logged:
    metadata = {"event_id": f"event-{position}", "correlation_id": f"{command}.1", "causation_id": command}
    at = START + timedelta(seconds=position)
    return Logged(position, product_id, version, kind, 1, json.dumps(data).encode(), metadata, at)


def created(slug: str, sku: str) -> dict[str, Any]:
    variant = {"sku": sku, "options": {}, "price": DOLLARS[1]}
    return {"slug": slug, "name": slug, "variants": [variant], "tags": ["t"], "attributes": {"flag": True}}


def priced(dollars: int, previous: int) -> dict[str, Any]:
    return {"sku": "L", "price": DOLLARS[dollars], "previous_price": DOLLARS[previous]}


LOG = [
    logged(1, LIVE, 1, "product-created", created("live", "L"), "a"),
    logged(2, DELETED, 1, "product-created", created("deleted", "D"), "b"),
    logged(3, LIVE, 2, "product-price-changed", priced(2, previous=1), "c"),
    logged(4, DELETED, 2, "product-deleted", {}, "d"),
    logged(6, LIVE, 3, "product-published", {}, "e"),
]  # fmt: skip


def command(
    name: str, kind: str, product_id: str, outcome: Outcome, version: int | None, at: float
) -> Command:
    attempt = Attempt(f"{name}.1", outcome, outcome, at, at + 0.5, version)
    return Command(name, kind, product_id, [attempt])


def clients() -> list[Command]:
    return [
        command("a", "create", LIVE, "ok", 1, 1),
        command("b", "create", DELETED, "ok", 1, 2),
        command("c", "price", LIVE, "ok", 2, 3),
        command("d", "delete", DELETED, "ok", 2, 4),
        command("e", "publish", LIVE, "ok", 3, 5),
        command("refused", "price", LIVE, "refused", None, 6),
    ]


def body_of(document: Document) -> bytes:
    shown = {name: value for name, value in document.items() if name != "position"}
    return json.dumps(shown, default=lambda time: time.isoformat().replace("+00:00", "Z")).encode()


def published(event: Logged, topic: str, offset: int) -> Published:
    partition = partition_of(event.product_id, PARTITIONS)
    return Published(topic, partition, offset, event.product_id, event.data, headers_of(event, "log"))


def states(log: Sequence[Logged]) -> list[Published]:
    """The topic of latest states, with every version that there was."""
    found = []
    for offset, (event, document) in enumerate(History(log, "log").states()):
        is_deleted = document["status"] == "deleted"
        headers = {
            "ce_specversion": "1.0", "ce_id": f"{event.product_id}/{event.stream_version}",
            "ce_type": "product-state", "ce_source": "/products", "ce_subject": event.product_id,
            "ce_time": event.recorded_at.isoformat().replace("+00:00", "Z"),
            "ce_position": str(event.position), "ce_streamversion": str(event.stream_version),
            "ce_logid": "log", **({} if is_deleted else {"content-type": "application/json"}),
        }  # fmt: skip
        partition, value = partition_of(event.product_id, PARTITIONS), body_of(document)
        found.append(
            Published("state", partition, offset, event.product_id, None if is_deleted else value, headers)
        )
    return found


def sound() -> Evidence:
    """An installation without a fault, made from the log."""
    rows: dict[str, Row] = {}
    cached: dict[str, bytes] = {}
    evidence = Evidence(log=list(LOG), log_id="log", streams={LIVE: 3, DELETED: 2})
    evidence.views = {
        "product_view": rows,
        "product_cache": cached,
        "search_index": {},
        **counted(),
        "products_state": states(LOG),
    }
    evidence.reservations = {("s", "live"): LIVE, ("k", "L"): LIVE}
    kinds = {"events": LOG, "created": LOG[:2], "updated": [LOG[2], LOG[4]], "deleted": [LOG[3]]}
    for kind, events in kinds.items():
        evidence.records[kind] = [published(event, kind, offset) for offset, event in enumerate(events)]
    for product_id, document in History(LOG, "log").newest.items():
        is_deleted = document["status"] == "deleted"
        names = {"product_id": "id", "stream_version": "version", "log_position": "position"}
        columns = {name: document[names[name]] for name in names}
        columns |= {name: document[name] for name in ("status", "slug", "name", "tags", "updated_at")}
        body = body_of(document)
        variants = frozenset() if is_deleted else frozenset([("L", "USD", Decimal("2.00"))])
        rows[product_id] = Row(columns, None if is_deleted else body, variants)
        flag = b"T" if is_deleted else b"L" + body
        cached[product_id] = b"%016d" % document["version"] + flag
        evidence.views["search_index"][product_id] = (document["version"], None if is_deleted else body)
        evidence.by_id[product_id] = Read(404, None, b"") if is_deleted else Read(200, '"3"', body)
    evidence.by_name = {("slug", "live"): evidence.by_id[LIVE], ("sku", "L"): evidence.by_id[LIVE]}
    evidence.listed = [evidence.by_id[LIVE].body]
    return evidence


def counted() -> dict[str, Any]:
    """The counting views of the log; `test_counted_views.py` damages them."""
    day = START.date()
    one_price = {"price_changes": 1, "price_increases": 1}
    counts = {"products_created": 2, "products_published": 1, "products_deleted": 1, **one_price}
    prices = {**one_price, "compared": 1, "log_ratio_sum": math.log(2)}
    return {
        "category_view": {"categories": {}, "brands": {}},
        "inventory": {
            "L": (LIVE, "open", START + timedelta(seconds=1), None, 1),
            "D": (DELETED, "closed", START + timedelta(seconds=2), START + timedelta(seconds=4), 4),
        },
        "analytics": {
            "changes": {(day, None, None): counts}, "prices": {(day, None, None, "USD"): prices},
        },
    }  # fmt: skip
