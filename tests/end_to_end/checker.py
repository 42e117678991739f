"""An independent witness: holds log, Kafka, table, cache and HTTP against each other and against the clients.

Pure: it takes what `evidence.py` has gathered and answers sentences, one for each thing that is not as the
contract promises; none means that all is well. It uses no code of the product.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from tests.end_to_end.fold import Document, fold, parsed, same
from tests.end_to_end.kafka_topics import Published
from tests.end_to_end.ledger import LEAVES, Command, command_of

_VERSION_DIGITS = 16
_KIND_OF = {"product-created": "created", "product-deleted": "deleted"}


@dataclass(frozen=True)
class Logged:
    """One row of the event log."""

    position: int
    product_id: str
    stream_version: int
    event_type: str
    schema_version: int
    data: bytes
    metadata: dict[str, Any]
    recorded_at: datetime


@dataclass(frozen=True)
class Row:
    """One row of the table of products, with its rows of variants as (SKU, currency, amount)."""

    columns: dict[str, Any]
    document: bytes | None
    variants: frozenset[tuple[str, str, Decimal]]


@dataclass(frozen=True)
class Read:
    """One answer of the query API."""

    status: int
    etag: str | None
    body: bytes


@dataclass
class Evidence:
    """Everything there is to see of one installation that is at rest."""

    log: list[Logged] = field(default_factory=list)
    log_id: str = ""
    streams: dict[str, int] = field(default_factory=dict)
    reservations: dict[tuple[str, str], str] = field(default_factory=dict)
    records: dict[str, list[Published]] = field(default_factory=dict)
    """By kind of topic: events, created, updated, deleted."""
    rows: dict[str, Row] = field(default_factory=dict)
    cached: dict[str, bytes] = field(default_factory=dict)
    by_id: dict[str, Read] = field(default_factory=dict)
    by_name: dict[tuple[str, str], Read] = field(default_factory=dict)
    """By ("slug" | "sku", value)."""
    listed: list[bytes] = field(default_factory=list)
    """The items of the list of all statuses, all pages."""


def problems(evidence: Evidence, commands: Sequence[Command] | None, *, since_position: int = 0) -> list[str]:
    """What is wrong. Events after `since_position` must come from `commands`, where these are known."""
    found = [*log_problems(evidence)]
    if found:
        return found  # nothing can be held against a log that is itself broken
    folded = fold_log(evidence.log)
    return [
        *(command_problems(evidence.log, commands, since_position) if commands is not None else ()),
        *reservation_problems(evidence, folded),
        *kafka_problems(evidence),
        *row_problems(evidence, folded),
        *cache_problems(evidence, folded),
        *read_problems(evidence, folded, since_position),
    ]


def fold_log(log: Sequence[Logged]) -> dict[str, Document]:
    """Product id -> its document after all its events."""
    folded: dict[str, Document] = {}
    for event in log:
        before = folded.get(event.product_id)
        after = fold(
            before, event.event_type, json.loads(event.data), event.stream_version, event.recorded_at
        )
        folded[event.product_id] = {**after, "id": event.product_id, "position": event.position}
    return folded


def log_problems(evidence: Evidence) -> Iterator[str]:
    """Positions unique and rising, versions from 1 without gap, event ids unique, streams as the log says."""
    versions: dict[str, int] = defaultdict(int)
    position = 0
    for event in evidence.log:
        if event.position <= position:
            yield f"position {event.position} comes after {position}"
        position = event.position
        versions[event.product_id] += 1
        if event.stream_version != versions[event.product_id]:
            wanted = versions[event.product_id]
            yield f"log: {event.product_id} has version {event.stream_version} where {wanted} belongs"
    for event_id, count in Counter(event.metadata["event_id"] for event in evidence.log).items():
        if count > 1:
            yield f"log: {count} events have the id {event_id}"
    if evidence.streams != dict(versions):
        different = {*evidence.streams.items()} ^ {*versions.items()}
        yield f"log: the streams' versions are not those of the events: {sorted(different)[:5]}"


def command_problems(log: Sequence[Logged], commands: Sequence[Command], since: int) -> Iterator[str]:
    """Every command answered well has its events once; refused ones and promises of nothing left nothing."""
    events_of: dict[str, list[Logged]] = defaultdict(list)
    known = {command.command_id for command in commands}
    for event in log:
        command_id = command_of(event.metadata["correlation_id"])
        if command_id in known:
            events_of[command_id].append(event)
        elif event.position > since:
            yield f"nobody has sent the command of the event at position {event.position}"
    for command in commands:
        yield from _one_command(command, events_of[command.command_id])
    yield from _order_of_answers(commands, events_of)


def _one_command(command: Command, events: Sequence[Logged]) -> Iterator[str]:
    who = f"{command.kind} {command.command_id}"
    event_type, fewest, most = LEAVES[command.kind]
    if any(event.event_type != event_type for event in events):
        yield f"{who} left {[event.event_type for event in events]}"
    if command.outcome == "ok" and not fewest <= len(events) <= most:
        yield f"{who} was answered well and left {len(events)} events"
    if command.outcome in ("refused", "not-written") and events:
        yield f"{who} was {command.outcome} and left {len(events)} events"
    if len(events) > most:
        yield f"{who} was {command.outcome} and took effect {len(events)} times"
    promised_nothing = {
        attempt.request_id: attempt.said
        for attempt in command.attempts
        if attempt.outcome in ("refused", "not-written")
    }
    for event in events:
        said = promised_nothing.get(event.metadata["correlation_id"])
        if said is not None:
            yield f"{who}: the attempt answered with {said} has written position {event.position}"
        answer = command.answer
        if answer is not None and answer.stream_version != event.stream_version:
            yield f"{who} was told version {answer.stream_version}, its event has {event.stream_version}"
        if command.product_id is not None and command.product_id != event.product_id:
            yield f"{who} is about {command.product_id}, its event about {event.product_id}"


def _order_of_answers(commands: Sequence[Command], events_of: dict[str, list[Logged]]) -> Iterator[str]:
    """A command that was sent after another had been answered stands behind it in its product's stream."""
    by_product: dict[str, list[tuple[int, Command]]] = defaultdict(list)
    for command in commands:
        for event in events_of[command.command_id]:
            by_product[event.product_id].append((event.stream_version, command))
    for versions in by_product.values():
        versions.sort(key=lambda pair: pair[0])
        sent_latest = 0.0
        for _, command in versions:
            if command.answer is not None and command.answer.ended < sent_latest:
                who = f"{command.kind} {command.command_id}"
                yield f"{who} stands behind a command that was sent after its answer"
            sent_latest = max(sent_latest, command.attempts[0].started)


def reservation_problems(evidence: Evidence, folded: dict[str, Document]) -> Iterator[str]:
    """Slugs and SKUs are held by the live products that have them, and by nobody else."""
    wanted: dict[tuple[str, str], str] = {}
    for product_id, document in folded.items():
        if document["status"] == "deleted":
            continue
        for name in (("s", document["slug"]), *(("k", each["sku"]) for each in document["variants"])):
            if name in wanted:
                yield f"{name} belongs to {wanted[name]} and to {product_id}"
            wanted[name] = product_id
    if wanted != evidence.reservations:
        different = {*wanted.items()} ^ {*evidence.reservations.items()}
        yield f"reservations are not those of the live products: {sorted(different)[:5]}"


def kafka_problems(evidence: Evidence) -> Iterator[str]:
    """Each topic holds its events, whole and in order per product; repeats of older versions do not count."""
    for kind, records in evidence.records.items():
        wanted: dict[str, list[Logged]] = defaultdict(list)
        for event in evidence.log:
            if kind in ("events", _KIND_OF.get(event.event_type, "updated")):
                wanted[event.product_id].append(event)
        firsts = _without_repeats(records)
        for record in firsts.get("", []):
            yield f"{kind}: a record without a product at {record.partition}:{record.offset}"
        for product_id in sorted({*wanted, *firsts} - {""}):
            yield from _one_product_in_kafka(
                kind, product_id, wanted[product_id], firsts.get(product_id, []), evidence.log_id
            )


def _without_repeats(records: Sequence[Published]) -> dict[str, list[Published]]:
    """Per product in the order of the topic, as a consumer keeps them that drops what it has seen."""
    kept: dict[str, list[Published]] = defaultdict(list)
    seen: dict[str, set[str]] = defaultdict(set)
    for record in records:
        version = record.headers.get("ce_streamversion", "")
        if version not in seen[record.key or ""]:
            seen[record.key or ""].add(version)
            kept[record.key or ""].append(record)
    return kept


def _one_product_in_kafka(
    kind: str, product_id: str, wanted: Sequence[Logged], records: Sequence[Published], log_id: str
) -> Iterator[str]:
    versions = [record.headers.get("ce_streamversion") for record in records]
    if versions != [str(event.stream_version) for event in wanted]:
        yield f"{kind}: {product_id} has versions {versions}, the log {[e.stream_version for e in wanted]}"
        return
    if len({record.partition for record in records}) > 1:
        yield f"{kind}: {product_id} is spread over partitions"
    for record, event in zip(records, wanted, strict=True):
        expected = headers_of(event, log_id)
        if record.headers != expected:
            different = {*record.headers.items()} ^ {*expected.items()}
            yield f"{kind}: {product_id} v{event.stream_version} differs in headers {sorted(different)}"
        if record.value != event.data:
            yield f"{kind}: {product_id} v{event.stream_version} has another value than the log"


def headers_of(event: Logged, log_id: str) -> dict[str, str]:
    """API.md, section 5."""
    metadata = event.metadata
    optional = {"ce_causationid": metadata.get("causation_id"), "traceparent": metadata.get("traceparent")}
    return {
        "ce_specversion": "1.0",
        "ce_id": metadata["event_id"],
        "ce_type": event.event_type,
        "ce_source": "/products",
        "ce_subject": event.product_id,
        "ce_time": event.recorded_at.isoformat().replace("+00:00", "Z"),
        "ce_position": str(event.position),
        "ce_streamversion": str(event.stream_version),
        "ce_schemaversion": str(event.schema_version),
        "ce_correlationid": metadata["correlation_id"],
        "correlation_id": metadata["correlation_id"],
        "ce_logid": log_id,
        "content-type": "application/json",
        **{name: value for name, value in optional.items() if value is not None},
    }


def row_problems(evidence: Evidence, folded: dict[str, Document]) -> Iterator[str]:
    """The table has a row for each product of the log, deleted ones without a document."""
    for product_id in sorted(evidence.rows.keys() ^ folded.keys()):
        yield f"table: {product_id} is only in {'the table' if product_id in evidence.rows else 'the log'}"
    for product_id in evidence.rows.keys() & folded.keys():
        row, document = evidence.rows[product_id], folded[product_id]
        wanted = {name: document[_FIELD_OF.get(name, name)] for name in row.columns}
        if not same(row.columns, wanted):
            yield f"table: {product_id} has columns {row.columns}, not {wanted}"
        is_deleted = document["status"] == "deleted"
        variants = frozenset(
            (each["sku"], each["price"]["currency"], Decimal(each["price"]["amount"]))
            for each in ([] if is_deleted else document["variants"])
        )
        if row.variants != variants:
            yield f"table: {product_id} has variants {set(row.variants)}, not {set(variants)}"
        if is_deleted != (row.document is None):
            yield f"table: {product_id} is {document['status']}, its document {row.document!r}"
        elif row.document is not None:
            yield from _document_problems(f"table: {product_id}", row.document, document)


_FIELD_OF = {"product_id": "id", "stream_version": "version", "log_position": "position"}


def _document_problems(where: str, body: bytes, wanted: Document) -> Iterator[str]:
    document = {name: value for name, value in wanted.items() if name != "position"}
    try:
        served = parsed(body)
    except (ValueError, KeyError, AssertionError) as error:
        yield f"{where} cannot be read: {error!r}"
        return
    if not same(served, document):
        yield f"{where} is {served}, not {document}"


def cache_problems(evidence: Evidence, folded: dict[str, Document]) -> Iterator[str]:
    """Redis may have lost anything; what it has is right."""
    for product_id, value in evidence.cached.items():
        where, wanted = f"cache: {product_id}", folded.get(product_id)
        if wanted is None:
            yield f"{where} is not in the log"
            continue
        digits, flag, body = value[:_VERSION_DIGITS], value[_VERSION_DIGITS : _VERSION_DIGITS + 1], value[17:]
        expected = (b"%016d" % wanted["version"], b"T" if wanted["status"] == "deleted" else b"L")
        if (digits, flag) != expected:
            yield f"{where} begins with {value[:17]!r}, not {expected}"
        elif flag == b"L":
            yield from _document_problems(where, body, wanted)


def read_problems(evidence: Evidence, folded: dict[str, Document], since: int = 0) -> Iterator[str]:
    """Over HTTP: what changed since then by id, SKU and slug, all in the list; deleted ones are 404."""
    live = {product_id for product_id, document in folded.items() if document["status"] != "deleted"}
    changed = {product_id for product_id, document in folded.items() if document["position"] > since}
    for product_id in sorted(changed):
        wanted = folded[product_id] if product_id in live else None
        yield from _one_read(f"GET {product_id}", evidence.by_id[product_id], wanted)
    names: dict[tuple[str, str], Document] = {}
    for product_id in live & changed:
        document = folded[product_id]
        names["slug", document["slug"]] = document
        names |= {("sku", each["sku"]): document for each in document["variants"]}
    for name, read in evidence.by_name.items():
        yield from _one_read(f"GET by {name}", read, names.get(name))
    if missing := names.keys() - evidence.by_name.keys():
        yield f"HTTP: nobody has asked for {sorted(missing)[:5]}"
    items = {json.loads(body)["id"]: body for body in evidence.listed}
    if len(items) < len(evidence.listed):
        yield "list: a product is listed twice"
    for product_id in sorted(items.keys() ^ live):
        yield f"list: {product_id} is {'listed' if product_id in items else 'missing'}"
    for product_id in items.keys() & live:
        yield from _document_problems(f"list: {product_id}", items[product_id], folded[product_id])


def _one_read(where: str, read: Read, wanted: Document | None) -> Iterator[str]:
    if wanted is None:
        if read.status != 404:
            yield f"{where} answered {read.status}, not 404"
    elif read.status != 200 or read.etag != f'"{wanted["version"]}"':
        yield f"{where} answered {read.status} with ETag {read.etag}, not 200 with {wanted['version']}"
    else:
        yield from _document_problems(where, read.body, wanted)
