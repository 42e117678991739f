"""Reads records of `products-state` one by one, so that a bad one affects no other."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from query_api.search.feed_ports import StateRecord
from query_api.search.ports import IndexedState
from shared.kafka.cloud_event import MalformedRecord

_POSITION_MAX, _STREAM_VERSION_MAX = 2**63 - 1, 2**31 - 1


def read_state(record: Any) -> StateRecord:
    """The state in an aiokafka record. Raises `MalformedRecord`. The document is not looked at."""
    headers: Mapping[str, bytes | None] = dict(_pairs(record.headers))
    try:
        log_id = headers.get("ce_logid")
        state = IndexedState(
            product_id=UUID((record.key or b"").decode()),
            stream_version=_number(headers, "ce_streamversion", _STREAM_VERSION_MAX),
            log_position=_number(headers, "ce_position", _POSITION_MAX),
            partition=record.partition,
            document=record.value,
        )
        return StateRecord(state, None if log_id is None else UUID(log_id.decode()))
    except ValueError as error:
        raise MalformedRecord(f"partition {record.partition}, offset {record.offset}: {error}") from error


def _pairs(headers: Iterable[tuple[str, bytes | None]] | None) -> Iterable[tuple[str, bytes | None]]:
    return headers or ()


def _number(headers: Mapping[str, bytes | None], name: str, maximum: int) -> int:
    text = headers.get(name)
    if text is None or not text.isdigit() or not 1 <= int(text) <= maximum:
        raise ValueError(f"header {name} is missing, or no number from 1 to {maximum}")
    return int(text)
