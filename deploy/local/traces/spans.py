"""Spans as they come by OTLP, in a form that can be stored and shown."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span as OtlpSpan
from opentelemetry.proto.trace.v1.trace_pb2 import Status

_KINDS = ("unspecified", "internal", "server", "client", "producer", "consumer")


@dataclass(frozen=True)
class StoredSpan:
    """One span. Ids are hexadecimal, times nanoseconds since 1970; `failure` None: it did not fail."""

    trace_id: str
    span_id: str
    parent_id: str | None
    service: str
    name: str
    kind: str
    began_ns: int
    ended_ns: int
    failure: str | None = None
    attributes: dict[str, Any] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    """Each with `name`, `at_ns` and `attributes`."""
    links: list[dict[str, str]] = field(default_factory=list)
    """Each with `trace_id` and `span_id`."""

    @property
    def milliseconds(self) -> float:
        """How long it took."""
        return (self.ended_ns - self.began_ns) / 1_000_000


def by_parent(spans: Iterable[StoredSpan]) -> Mapping[str | None, Sequence[StoredSpan]]:
    """Which spans have the same parent, in their order; a key may be the caller's span, which is not here."""
    found: dict[str | None, list[StoredSpan]] = {}
    for one in spans:
        found.setdefault(one.parent_id, []).append(one)
    return found


def spans_of(request: ExportTraceServiceRequest) -> Iterator[StoredSpan]:
    """All spans of an export."""
    for resource in request.resource_spans:
        service = str(_mapping(resource.resource.attributes).get("service.name", "unknown"))
        for scope in resource.scope_spans:
            for span in scope.spans:
                yield _stored(span, service)


def _stored(span: OtlpSpan, service: str) -> StoredSpan:
    has_failed = span.status.code == Status.STATUS_CODE_ERROR
    return StoredSpan(
        span.trace_id.hex(),
        span.span_id.hex(),
        span.parent_span_id.hex() or None,
        service,
        span.name,
        _KINDS[span.kind] if span.kind < len(_KINDS) else _KINDS[0],
        span.start_time_unix_nano,
        span.end_time_unix_nano,
        (span.status.message or "failed") if has_failed else None,
        _mapping(span.attributes),
        [
            {"name": one.name, "at_ns": one.time_unix_nano, "attributes": _mapping(one.attributes)}
            for one in span.events
        ],
        [{"trace_id": one.trace_id.hex(), "span_id": one.span_id.hex()} for one in span.links],
    )


def _mapping(attributes: Any) -> dict[str, Any]:
    pairs: list[KeyValue] = list(attributes)
    return {pair.key: _value(pair.value) for pair in pairs}


def _value(value: AnyValue) -> Any:
    match value.WhichOneof("value"):
        case "array_value":
            return [_value(one) for one in value.array_value.values]
        case "kvlist_value":
            return _mapping(value.kvlist_value.values)
        case "bytes_value":
            return value.bytes_value.hex()
        case None:
            return None
        case kind:
            return getattr(value, kind)
