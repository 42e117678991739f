"""A recorded event as CloudEvents JSON, for readers without Kafka.

It is made of the headers of the record in Kafka (`cloud_event.py`), so that feed and topic cannot differ. The
data are the stored bytes, as in the record's value: nothing is decoded, and nothing is upcast.
Source: CloudEvents 1.0, JSON event format.
"""

import json
from collections.abc import Iterator

from shared.contract.recorded_event import RecordedEvent
from shared.kafka.cloud_event import Headers, record_headers

_PREFIX = "ce_"
# Headers of Kafka that have another name in CloudEvents, or say again what an attribute says.
_RENAMED = {"content-type": "datacontenttype"}
_REPEATED = "correlation_id"
# CloudEvents' integers have 32 bits; the position has 64, so it is a text, as in cursors and SSE ids.
_INTEGERS = frozenset({"streamversion", "schemaversion"})
_LINE_ENDS = bytes.maketrans(b"\r\n", b"  ")


def event_json(event: RecordedEvent, log_id: bytes) -> bytes:
    """One line of JSON; `log_id` is the event store's UUID as ASCII text."""
    attributes = ",".join(_members(record_headers(event, log_id)))
    # Outside of texts JSON has line ends only for people, and a text cannot hold one.
    return b'{%b,"data":%b}' % (attributes.encode(), event.data.translate(_LINE_ENDS))


def _members(headers: Headers) -> Iterator[str]:
    for header, raw in headers:
        if header != _REPEATED:
            name, value = _RENAMED.get(header, header.removeprefix(_PREFIX)), raw.decode()
            yield f'"{name}":{value if name in _INTEGERS else json.dumps(value)}'
