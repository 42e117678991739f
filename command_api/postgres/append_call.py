"""Calls an append function: with a batch of commands as arrays, and an outcome for each in its one row; or
with a single command with one event, the usual case of a writer with little load.
"""

from collections.abc import Iterable, Sequence
from typing import Any, cast

import asyncpg

from command_api.domain.product import Reservation
from command_api.executing.ports import (
    Append,
    Appended,
    AppendOutcome,
    DuplicateKey,
    ReservationTaken,
    VersionConflict,
)
from shared.postgres.sql import load_sql

APPEND_SQL = load_sql("command_api.postgres", "append")
APPEND_WITHOUT_RESERVATIONS_SQL = load_sql("command_api.postgres", "append_without_reservations")
APPEND_EVENT_SQL = load_sql("command_api.postgres", "append_event")


async def call_append(
    connection: "asyncpg.Connection[asyncpg.Record]", batch: Sequence[Append]
) -> list[AppendOutcome]:
    """Write the batch in one transaction; the outcomes are in its order. Raises asyncpg's errors."""
    if len(batch) == 1 and (appended := await _append_event(connection, batch[0])) is not None:
        return [appended]
    if any(append.claims or append.releases for append in batch):
        row = await connection.fetchrow(
            APPEND_SQL, *_commands(batch), *_keys(batch), *_reservations(batch), *_events(batch)
        )
    else:
        row = await connection.fetchrow(
            APPEND_WITHOUT_RESERVATIONS_SQL, *_commands(batch), *_keys(batch), *_events(batch)
        )
    assert row is not None  # a function without SETOF always returns one row
    return _outcomes(batch, row)


async def _append_event(connection: "asyncpg.Connection[asyncpg.Record]", append: Append) -> Appended | None:
    """Write a single command with one event; None, and nothing written, if it is not one event or is
    refused.
    """
    if len(append.events) != 1 or append.releases:
        return None
    event, answer = append.events[0], append.answer
    position = await connection.fetchval(
        APPEND_EVENT_SQL,
        append.product_id,
        append.expected_version,
        event.encoded.event_type,
        event.encoded.schema_version,
        event.encoded.data,
        event.metadata,
        *((None,) * 4 if answer is None else (answer.key, answer.fingerprint, answer.status, answer.body)),
        [kind.encode() for kind, _ in append.claims],
        [value for _, value in append.claims],
    )
    return None if position is None else Appended(append.expected_version + 1, position)


# The array parameters of `catalogue.append_events`, in its order.


def _commands(batch: Sequence[Append]) -> Iterable[list[Any]]:
    yield [append.product_id for append in batch]
    yield [append.expected_version for append in batch]
    yield [len(append.events) for append in batch]
    yield [append.last_position for append in batch]


def _keys(batch: Sequence[Append]) -> Iterable[list[Any]]:
    keyed = [(place, append.answer) for place, append in enumerate(batch, 1) if append.answer is not None]
    yield [place for place, _ in keyed]
    yield [answer.key for _, answer in keyed]
    yield [answer.fingerprint for _, answer in keyed]
    yield [answer.status for _, answer in keyed]
    yield [answer.body for _, answer in keyed]


def _reservations(batch: Sequence[Append]) -> Iterable[list[Any]]:
    claims = [(place, *claim) for place, append in enumerate(batch, 1) for claim in append.claims]
    releases = [(place, *release) for place, append in enumerate(batch, 1) for release in append.releases]
    for rows in (claims, releases):
        yield [place for place, _, _ in rows]
        yield [kind.encode() for _, kind, _ in rows]
        yield [value for _, _, value in rows]


def _events(batch: Sequence[Append]) -> Iterable[list[Any]]:
    events = [
        (place, append.expected_version + offset, event)
        for place, append in enumerate(batch, 1)
        for offset, event in enumerate(append.events, 1)
    ]
    yield [place for place, _, _ in events]
    yield [stream_version for _, stream_version, _ in events]
    yield [event.encoded.event_type for _, _, event in events]
    yield [event.encoded.schema_version for _, _, event in events]
    yield [event.encoded.data for _, _, event in events]
    yield [event.metadata for _, _, event in events]


def _outcomes(batch: Sequence[Append], row: asyncpg.Record) -> list[AppendOutcome]:
    refused = {
        command: _refusal(outcome, detail)
        for command, outcome, detail in zip(
            row["refused_commands"], row["refused_outcomes"], row["refused_details"], strict=True
        )
    }
    outcomes: list[AppendOutcome] = []
    position = (row["first_position"] or 0) - 1
    for place, append in enumerate(batch, 1):
        if place in refused:
            outcomes.append(refused[place])
        elif append.events:
            position += len(append.events)
            outcomes.append(Appended(append.expected_version + len(append.events), position))
        else:
            outcomes.append(Appended(append.expected_version, append.last_position))
    return outcomes


def _refusal(outcome: str, detail: str) -> AppendOutcome:
    if outcome == "duplicate-key":
        return DuplicateKey()
    if outcome == "version-conflict":
        return VersionConflict(int(detail))
    return ReservationTaken(cast(Reservation, (detail[0], detail[1:])))
