"""The topics: each has all its events in order; duplicates are the same as the first record."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from tests.end_to_end.checks.history import History, Logged
from tests.end_to_end.kafka_topics import Published
from tests.end_to_end.murmur2 import partition_of

PARTITIONS = 12
_KIND_OF = {"product-created": "created", "product-deleted": "deleted"}
_MARK_OF_A_REPLAY = {"ce_replay": "true"}


def problems(history: History, records: Mapping[str, Sequence[Published]]) -> Iterator[str]:
    """`records`: by kind of topic (events, created, updated, deleted), in order within each partition."""
    for kind, some in records.items():
        wanted: dict[str, list[Logged]] = defaultdict(list)
        for event in history.log:
            if kind in ("events", _KIND_OF.get(event.event_type, "updated")):
                wanted[event.product_id].append(event)
        firsts: dict[str, dict[str, Published]] = defaultdict(dict)
        yield from _firsts(kind, some, firsts)
        for record in firsts.pop("", {}).values():
            yield f"{kind}: a record without a product at {record.partition}:{record.offset}"
        for product_id in sorted({*wanted, *firsts}):
            found = [*firsts[product_id].values()]
            yield from _one_product(kind, product_id, wanted[product_id], found, history.log_id)
        yield from _order_of_partitions(kind, firsts)


def _firsts(
    kind: str, records: Sequence[Published], firsts: dict[str, dict[str, Published]]
) -> Iterator[str]:
    """Fill product -> version -> its first record: the records that a consumer keeps if it drops
    duplicates.
    """
    for record in records:
        version = record.headers.get("ce_streamversion", "")
        first = firsts[record.key or ""].setdefault(version, record)
        again = {**record.headers, **(_MARK_OF_A_REPLAY if "ce_replay" in first.headers else {})}
        once = {**first.headers, **(_MARK_OF_A_REPLAY if "ce_replay" in record.headers else {})}
        if (record.value, record.partition, again) != (first.value, first.partition, once):
            at = f"{record.partition}:{record.offset}"
            yield f"{kind}: {record.key} v{version} comes again at {at}, changed"


def _one_product(
    kind: str, product_id: str, wanted: Sequence[Logged], records: Sequence[Published], log_id: str
) -> Iterator[str]:
    versions = [record.headers.get("ce_streamversion") for record in records]
    if versions != [str(event.stream_version) for event in wanted]:
        yield f"{kind}: {product_id} has versions {versions}, the log {[e.stream_version for e in wanted]}"
        return
    partition = partition_of(product_id, PARTITIONS)
    for record, event in zip(records, wanted, strict=True):
        if record.partition != partition:
            yield f"{kind}: {product_id} is in partition {record.partition}, its key belongs to {partition}"
        expected = headers_of(event, log_id)
        if record.headers != expected:
            different = {*record.headers.items()} ^ {*expected.items()}
            yield f"{kind}: {product_id} v{event.stream_version} differs in headers {sorted(different)}"
        if record.value != event.data:
            yield f"{kind}: {product_id} v{event.stream_version} has another value than the log"


def _order_of_partitions(kind: str, firsts: Mapping[str, Mapping[str, Published]]) -> Iterator[str]:
    """First records are in the log's order over all products of a partition: consistency tokens need this."""
    reached: dict[int, int] = defaultdict(int)
    everything = (record for versions in firsts.values() for record in versions.values())
    for record in sorted(everything, key=lambda one: (one.partition, one.offset)):
        position = int(record.headers.get("ce_position", 0))
        if position < reached[record.partition]:
            at = f"{record.partition}:{record.offset}"
            yield f"{kind}: position {position} at {at} comes after {reached[record.partition]}"
        reached[record.partition] = max(position, reached[record.partition])


def headers_of(event: Logged, log_id: str) -> dict[str, str]:
    """The headers of a record that docs/events.md promises."""
    metadata = event.metadata
    optional = {
        "ce_causationid": metadata.get("causation_id"),
        "traceparent": metadata.get("traceparent"),
        "ce_importid": metadata.get("import_id"),
    }
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
