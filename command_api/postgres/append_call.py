"""One call of the append function: a batch of commands as arrays, an outcome for each from its one row."""

from collections.abc import Sequence
from typing import Any, cast

import asyncpg

from command_api.domain.product import Reservation
from command_api.ports import Append, Appended, AppendOutcome, DuplicateKey, ReservationTaken, VersionConflict
from shared.postgres.sql import load_sql

APPEND_SQL = load_sql("command_api.postgres", "append")


async def call_append(
    connection: "asyncpg.Connection[asyncpg.Record]", batch: Sequence[Append]
) -> list[AppendOutcome]:
    """Write the batch in one transaction; the outcomes are in its order. Raises asyncpg's errors."""
    row = await connection.fetchrow(APPEND_SQL, *_arguments(batch))
    assert row is not None  # a function without SETOF always answers one row
    return _outcomes(batch, row)


def _arguments(batch: Sequence[Append]) -> list[list[Any]]:
    """The 21 array parameters of `catalogue.append_events`, in its order."""
    keyed = [(place, append.answer) for place, append in enumerate(batch, 1) if append.answer is not None]
    claims = [(place, *claim) for place, append in enumerate(batch, 1) for claim in append.claims]
    releases = [(place, *release) for place, append in enumerate(batch, 1) for release in append.releases]
    events = [
        (place, append.expected_version + offset, event)
        for place, append in enumerate(batch, 1)
        for offset, event in enumerate(append.events, 1)
    ]
    return [
        [append.product_id for append in batch],
        [append.expected_version for append in batch],
        [len(append.events) for append in batch],
        [append.last_position for append in batch],
        [place for place, _ in keyed],
        [answer.key for _, answer in keyed],
        [answer.fingerprint for _, answer in keyed],
        [answer.status for _, answer in keyed],
        [answer.body for _, answer in keyed],
        [place for place, _, _ in claims],
        [kind.encode() for _, kind, _ in claims],
        [value for _, _, value in claims],
        [place for place, _, _ in releases],
        [kind.encode() for _, kind, _ in releases],
        [value for _, _, value in releases],
        [place for place, _, _ in events],
        [stream_version for _, stream_version, _ in events],
        [event.encoded.event_type for _, _, event in events],
        [event.encoded.schema_version for _, _, event in events],
        [event.encoded.data for _, _, event in events],
        [event.metadata for _, _, event in events],
    ]


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
