"""A checker that cannot fail is worth nothing: each thing it looks at is broken here, and it must say so."""

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.end_to_end.checker import Evidence, problems
from tests.end_to_end.checks.history import History, Logged
from tests.end_to_end.checks.mails import Delivered, Mails
from tests.end_to_end.checks.parked import Parked
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
        evidence.by_id[product_id] = Read(404, None, b"") if is_deleted else Read(200, '"3"', body)
    evidence.by_name = {("slug", "live"): evidence.by_id[LIVE], ("sku", "L"): evidence.by_id[LIVE]}
    evidence.listed = [evidence.by_id[LIVE].body]
    return evidence


def counted() -> dict[str, Any]:
    """What the views that count have of the log; `test_counted_views.py` breaks it."""
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


def test_nothing_is_found_where_nothing_is_wrong() -> None:
    assert problems(sound(), clients()) == []


def test_repeats_in_kafka_and_an_empty_cache_are_no_faults() -> None:
    evidence = sound()
    evidence.records["events"] += evidence.records["events"][2:]
    first = evidence.records["events"][0]
    evidence.records["events"].append(replace(first, headers={**first.headers, "ce_replay": "true"}))
    cached(evidence).clear()
    assert problems(evidence, clients()) == []


def rows(evidence: Evidence) -> dict[str, Row]:
    found: dict[str, Row] = evidence.views["product_view"]
    return found


def cached(evidence: Evidence) -> dict[str, bytes]:
    found: dict[str, bytes] = evidence.views["product_cache"]
    return found


def with_row(evidence: Evidence, **changes: Any) -> None:
    rows(evidence)[LIVE] = replace(rows(evidence)[LIVE], **changes)


def with_event(evidence: Evidence, **changes: Any) -> None:
    evidence.log[4] = replace(evidence.log[4], **changes)


def with_record(evidence: Evidence, **changes: Any) -> None:
    evidence.records["events"][4] = replace(evidence.records["events"][4], **changes)


def with_records_of_one_partition(evidence: Evidence, *order: int) -> None:
    """As if both products' keys belonged to one partition."""
    records = evidence.records["events"]
    records[:] = [replace(records[old], partition=0, offset=new) for new, old in enumerate(order)]


def swapped(values: list[Any], one: int, other: int) -> None:
    values[one], values[other] = values[other], values[one]


def older(body: bytes) -> bytes:
    return body.replace(b'"2.00"', b'"1.00"')


FAULTS: dict[str, tuple[str, Callable[[Evidence], Any]]] = {
    "an event is missing from the log": ("belongs", lambda e: e.log.pop(2)),
    "an event stands twice in the log": ("position 6 comes after 6", lambda e: e.log.append(e.log[-1])),
    "a position is used twice": (
        "position 4 comes after 4", lambda e: with_event(e, position=4)
    ),
    "an event has another's id": (
        "2 events have the id event-1",
        lambda e: with_event(e, metadata={**e.log[4].metadata, "event_id": "event-1"}),
    ),
    "an event cannot follow the one before": (
        "position 4 does not fold", lambda e: with_event(e, event_type="product-created")
    ),
    "a stream row is behind": ("streams' versions", lambda e: e.streams.update({LIVE: 2})),
    "a slug is still held": ("reservations", lambda e: e.reservations.update({("s", "deleted"): DELETED})),
    "a record is missing": ("events: ", lambda e: e.records["events"].pop(2)),
    "records are out of order": ("events: ", lambda e: swapped(e.records["events"], 0, 2)),
    "a kind topic lacks its record": ("deleted: ", lambda e: e.records["deleted"].clear()),
    "a record is in the wrong kind topic": (
        "created: ", lambda e: e.records["created"].append(e.records["updated"][0])
    ),
    "a record has another value": (
        "another value", lambda e: with_record(e, value=b"")
    ),
    "a record lacks a header": (
        "differs in headers", lambda e: e.records["events"][4].headers.pop("ce_logid")
    ),
    "a record has no key": (
        "without a product", lambda e: with_record(e, key=None)
    ),
    "a product is in another partition than its key's": (
        "its key belongs to", lambda e: with_record(e, partition=7)
    ),
    "a partition's positions are out of order": (
        "position 4 at", lambda e: with_records_of_one_partition(e, 0, 2, 4, 1, 3)
    ),
    "a repeated record has another value": (
        "comes again", lambda e: e.records["events"].append(replace(e.records["events"][0], value=b"{}"))
    ),
    "a repeated record is in another partition": (
        "comes again", lambda e: e.records["events"].append(replace(e.records["events"][0], partition=7))
    ),
    "a row is missing": ("only in the log", lambda e: rows(e).pop(LIVE)),
    "variants are left of a row that is gone": (
        "has variants and no row", lambda e: with_row(e, columns={}, document=None)
    ),
    "a row is of nothing": ("only in the table", lambda e: rows(e).update({"ghost": rows(e)[DELETED]})),
    "a column is wrong": (
        "has columns", lambda e: with_row(e, columns={**rows(e)[LIVE].columns, "slug": "lively"})
    ),
    "a row's document is old": (
        "table: ", lambda e: with_row(e, document=older(rows(e)[LIVE].document or b""))
    ),
    "a row's document takes 1 for true": (
        "table: ",
        lambda e: with_row(
            e, document=(rows(e)[LIVE].document or b"").replace(b'"flag": true', b'"flag": 1')
        ),
    ),
    "a live row has no document": ("its document None", lambda e: with_row(e, document=None)),
    "a row's price is wrong": (
        "has variants", lambda e: with_row(e, variants=frozenset([("L", "USD", Decimal(1))]))
    ),
    "a cached version is old": (
        "cache: ", lambda e: cached(e).update({LIVE: b"%016d" % 2 + cached(e)[LIVE][16:]})
    ),
    "a cached document is old": ("cache: ", lambda e: cached(e).update({LIVE: older(cached(e)[LIVE])})),
    "a deleted product is cached": ("cache: ", lambda e: cached(e).update({DELETED: cached(e)[LIVE]})),
    "a latest state is missing": ("ends with version 2", lambda e: e.views["products_state"].pop()),
    "an event is parked": (
        "product_view has parked", lambda e: e.parked.append(Parked("product_view", "unknown", None, "", ""))
    ),
    "a mail was not to be sent": (
        "was not to be told",
        lambda e: setattr(e, "mails", Mails((), [Delivered("event-1", "nobody", "", "")], {})),
    ),
    "the cache has a ghost": ("not in the log", lambda e: cached(e).update({"ghost": cached(e)[LIVE]})),
    "a deleted product is served": ("not 404", lambda e: e.by_id.update({DELETED: e.by_id[LIVE]})),
    "a live product is not served": ("answered 404", lambda e: e.by_id.update({LIVE: e.by_id[DELETED]})),
    "an old document is served": (
        "GET ", lambda e: e.by_id.update({LIVE: replace(e.by_id[LIVE], body=older(e.by_id[LIVE].body))})
    ),
    "an ETag is old": ('ETag "2"', lambda e: e.by_id.update({LIVE: replace(e.by_id[LIVE], etag='"2"')})),
    "a SKU does not lead to its product": (
        "GET by ('sku', 'L')", lambda e: e.by_name.update({("sku", "L"): e.by_id[DELETED]})
    ),
    "a name was not asked for": ("nobody has asked", lambda e: e.by_name.pop(("slug", "live"))),
    "a list lacks a product": ("missing", lambda e: e.listed.clear()),
    "a list repeats a product": ("listed twice", lambda e: e.listed.append(e.listed[0])),
    "a list shows an old document": ("list: ", lambda e: e.listed.__setitem__(0, older(e.listed[0]))),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_found(fault: str) -> None:
    said, break_it = FAULTS[fault]
    evidence = sound()
    break_it(evidence)
    found = problems(evidence, clients())
    assert any(said in problem for problem in found), found


def with_attempts(one: Command, *outcomes: Outcome) -> None:
    one.attempts[:] = [
        Attempt(f"{one.command_id}.{n}", outcome, outcome, n, n + 0.5, 2 if outcome == "ok" else None)
        for n, outcome in enumerate(outcomes, 1)
    ]


LIES: dict[str, tuple[str, Callable[[list[Command]], Any]]] = {
    "a command answered well has no event": (
        "left 0 events", lambda c: c.append(command("lost", "price", LIVE, "ok", 4, 7))
    ),
    "a refused command has an event": ("was refused", lambda c: with_attempts(c[2], "refused")),
    "a promise of nothing was broken": ("was not-written", lambda c: with_attempts(c[2], "not-written")),
    "the attempt that promised nothing wrote it": (
        "answered with not-written", lambda c: with_attempts(c[2], "not-written", "ok")
    ),
    "an event belongs to no command": ("nobody has sent", lambda c: c.pop(2)),
    "an event is of another kind": (
        "left ['product-price-changed']", lambda c: setattr(c[2], "kind", "publish")
    ),
    "an event is about another product": ("is about", lambda c: setattr(c[2], "product_id", DELETED)),
    "an answer told another version": (
        "was told version 7", lambda c: c.__setitem__(2, command("c", "price", LIVE, "ok", 7, 3))
    ),
    "a command did not do what it was asked for": (
        "asked for prices", lambda c: c[2].wanted.update(prices={"L": DOLLARS[1]})
    ),
    "a command took effect on another version": (
        "was for version 2", lambda c: setattr(c[2], "if_version", 2)
    ),
    "a later command stands before an answered one": (
        "stands behind", lambda c: c.__setitem__(4, command("e", "publish", LIVE, "ok", 3, 0))
    ),
}  # fmt: skip


@pytest.mark.parametrize("lie", LIES)
def test_an_answer_that_was_not_true_is_found(lie: str) -> None:
    said, tell_it = LIES[lie]
    commands = clients()
    tell_it(commands)
    found = problems(sound(), commands)
    assert any(said in problem for problem in found), found


def written_twice() -> tuple[Evidence, list[Command]]:
    """A command that was repeated with its key, and was not known again."""
    evidence, commands = sound(), clients()
    evidence.log.append(logged(7, LIVE, 4, "product-price-changed", priced(0, previous=2), "c"))
    evidence.streams[LIVE] = 4
    with_attempts(commands[2], "unknown", "ok")
    return evidence, commands


def test_a_command_that_took_effect_twice_is_found() -> None:
    evidence, commands = written_twice()
    assert any("left 2 events" in problem for problem in problems(evidence, commands))
    with_attempts(commands[2], "unknown")
    assert any("took effect 2 times" in problem for problem in problems(evidence, commands))


def test_an_unknown_command_may_have_taken_effect_or_not() -> None:
    commands = clients()
    with_attempts(commands[2], "unknown", "not-written")
    never = Command("never", "price", LIVE)
    with_attempts(never, "unknown")
    assert problems(sound(), [*commands, never]) == []


def test_a_refusal_says_nothing_of_an_attempt_that_lingers_in_a_stopped_process() -> None:
    commands = clients()
    with_attempts(commands[2], "unknown", "refused")
    assert any("was refused" in problem for problem in problems(sound(), commands))
    commands[2].lingers = True
    assert problems(sound(), commands) == []
    with_attempts(commands[2], "refused")
    assert any("was refused" in problem for problem in problems(sound(), commands))


def batch() -> list[Command]:
    """The same as one batch, sent once."""
    operations = clients()[:5]
    for index, operation in enumerate(operations):
        operation.command_id = f"batch[{index}]"
        operation.batch, operation.about = "batch", operation.product_id or ""
        operation.attempts[:] = [replace(operation.attempts[0], request_id="batch.1")]
    operations[0].about, operations[1].about = "sku L", "sku D"
    return operations


def sent_as_a_batch() -> Evidence:
    evidence = sound()
    for place, event in enumerate(LOG):
        evidence.log[place] = replace(event, metadata={**event.metadata, "correlation_id": "batch.1"})
    evidence.records.clear()
    return evidence


def test_the_operations_of_a_batch_are_told_apart() -> None:
    assert problems(sent_as_a_batch(), batch()) == []
    without_price = [each for each in batch() if each.kind != "price"]
    found = problems(sent_as_a_batch(), without_price)
    assert found == ["nobody has sent the command of the event at position 3"]


def test_a_command_that_was_written_in_pieces_is_found() -> None:
    operations = batch()
    upsert = Command("batch[0]", "upsert", LIVE, operations[0].attempts, "batch", "slug live")
    upsert.attempts[:] = [replace(upsert.attempts[0], outcome="unknown", stream_version=None)]
    found = problems(sent_as_a_batch(), [upsert, operations[1], *operations[3:]])
    assert found == ["upsert batch[0] was not written in one piece: positions [1, 3]"]


@pytest.mark.parametrize(("key", "hashed"), [("21", -973932308), ("foobar", -790332482),
    ("a-little-bit-long-string", -985981536), ("a-little-bit-longer-string", -1486304829)])  # fmt: skip
def test_partitions_are_those_of_the_java_client(key: str, hashed: int) -> None:
    """The vectors of Kafka's own test of its murmur2."""
    assert partition_of(key, 2**31) == hashed & 0x7FFFFFFF


def test_older_events_may_be_of_clients_that_nobody_knows() -> None:
    assert problems(sound(), clients()[2:], since_position=2) == []
