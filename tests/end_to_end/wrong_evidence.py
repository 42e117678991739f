"""Evidence with one fault each, and the words in which the checker must name it."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

from tests.end_to_end.checker import Evidence
from tests.end_to_end.checks.mails import Delivered, Mails
from tests.end_to_end.checks.parked import Parked
from tests.end_to_end.checks.views.product_view import Row
from tests.end_to_end.ledger import Attempt, Command, Outcome
from tests.end_to_end.sound_evidence import DELETED, DOLLARS, LIVE, clients, command, logged, priced, sound


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
    """Both products in one partition, against their keys."""
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
        "must not be notified",
        lambda e: setattr(e, "mails", Mails((), [Delivered("event-1", "nobody", "", "")], {})),
    ),
    "the search index lacks a product": ("has version 0", lambda e: e.views["search_index"].pop(LIVE)),
    "the search index has an old version": (
        "has version 2", lambda e: e.views["search_index"].update({LIVE: (2, b"{}")})
    ),
    "an indexed document is old": (
        "search index: ",
        lambda e: e.views["search_index"].update({LIVE: (3, older(e.views["search_index"][LIVE][1]))}),
    ),
    "a deleted product is found": (
        "is deleted, its document", lambda e: e.views["search_index"].update({DELETED: (2, b"{}")})
    ),
    "the search index has a ghost": (
        "not in the log", lambda e: e.views["search_index"].update({"ghost": (1, None)})
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
    "a name was not asked for": ("the evidence lacks", lambda e: e.by_name.pop(("slug", "live"))),
    "a list lacks a product": ("missing", lambda e: e.listed.clear()),
    "a list repeats a product": ("listed twice", lambda e: e.listed.append(e.listed[0])),
    "a list shows an old document": ("list: ", lambda e: e.listed.__setitem__(0, older(e.listed[0]))),
}  # fmt: skip


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
    "an event belongs to no command": ("no client has sent", lambda c: c.pop(2)),
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
        "comes after", lambda c: c.__setitem__(4, command("e", "publish", LIVE, "ok", 3, 0))
    ),
}  # fmt: skip


def written_twice() -> tuple[Evidence, list[Command]]:
    """A command that was repeated with its key, and executed a second time."""
    evidence, commands = sound(), clients()
    evidence.log.append(logged(7, LIVE, 4, "product-price-changed", priced(0, previous=2), "c"))
    evidence.streams[LIVE] = 4
    with_attempts(commands[2], "unknown", "ok")
    return evidence, commands
