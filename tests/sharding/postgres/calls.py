"""One call of the protocol on one connection, in the transaction that the caller has begun."""

import uuid
from typing import TYPE_CHECKING, Any
from uuid import UUID

import asyncpg
import msgspec

from command_api.executing.ports import Append, Appended, DuplicateKey, KeyedAnswer, NewEvent, VersionConflict
from command_api.postgres.append_call import call_append
from shared.contract.codec import decode_event, encode_event
from shared.contract.recorded_event import EventMetadata
from shared.postgres.sql import load_sql
from tests.sharding import operations as o
from tests.sharding.stored_form import catalogue_event, model_event

if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record]
else:
    Connection = asyncpg.Connection

_PACKAGE = "tests.sharding.postgres"
_metadata = msgspec.json.Decoder(EventMetadata)
_PLAIN: dict[type, tuple[str, tuple[str, ...]]] = {
    o.Confirm: ("confirm_name", ("name", "claim")),
    o.Free: ("free_name", ("name", "claim", "is_held", "position")),
    o.FenceClaim: ("fence_claim", ("claim",)),
    o.DropOpenClaim: ("drop_open_claim", ("claim",)),
}


async def execute_call(connection: Connection, call: o.Call) -> Any:
    """Its result, as `memory_shards.execute` gives it. Raises asyncpg's errors."""
    if type(call) in _PLAIN:
        name, parameters = _PLAIN[type(call)]
        found = await connection.fetchval(_sql(name), *(getattr(call, each) for each in parameters))
        return found if isinstance(found, bool) else None  # void comes as an empty text
    match call:
        case o.ReadName():
            row = await connection.fetchrow(_sql("read_name"), call.name)
            return None if row is None else _row(row)
        case o.Claim():
            return await _claim(connection, call)
        case o.Load():
            return await _load(connection, call.product_id)
        case o.Append():
            return await _append(connection, call)
        case o.ReadOpenClaims():
            rows = await connection.fetch(_sql("read_open_claims"))
            return tuple((claim, UUID(int=product_id.int)) for claim, product_id in rows)
        case o.ReadPendingNames():
            return tuple(name for (name,) in await connection.fetch(_sql("read_pending_names")))
        case o.FindKey():
            answers = load_sql("command_api.postgres", "find_answers")
            return bool(await connection.fetch(answers, [_key(call.key)]))
    raise AssertionError(call)


async def _claim(connection: Connection, call: o.Claim) -> o.Claimed | o.Row:
    while True:
        answer = await connection.fetchrow(_sql("claim_name"), call.name, call.product_id, call.claim)
        assert answer is not None  # a function without SETOF always returns one row
        floor, *row = answer
        if floor is not None:
            return o.Claimed(floor)
        if row[0] is not None:
            return _row(row)
        # It was freed between the two statements of the function.


async def _load(connection: Connection, product_id: UUID) -> o.Stream:
    rows = await connection.fetch(load_sql("command_api.postgres", "load_streams"), [product_id], [0], [0])
    events: list[o.Event] = []
    for _, _, _, _, metadata, event_type, schema_version, data in rows:
        caused = _metadata.decode(metadata)
        event = decode_event(event_type, schema_version, data)
        events.append(model_event(events, event, caused.causation_id or "", caused.command_id or "", 0))
    return o.Stream(tuple(events), rows[-1][2] if rows else 0)


async def _append(connection: Connection, call: o.Append) -> o.Appended | o.Refused:
    if call.floor:
        await connection.execute(_sql("raise_position"), call.floor)
    new = [_new_event(event) for event in call.events]
    key = _key(call.key)
    claims = frozenset() if call.claim is None else frozenset([("f", call.claim)])
    append = Append(
        call.product_id,
        call.expected_version,
        0,
        new,
        claims=claims,  # type: ignore[arg-type]
        answer=KeyedAnswer(key, key, 200, b""),
    )
    # Half of them with a second command, without effect: these go through append_events.
    batch = [append, Append(uuid.uuid4(), 0, 0, [])] if key.int % 2 else [append]
    outcome = (await call_append(connection, batch))[0]
    if isinstance(outcome, Appended):
        return o.Appended(outcome.last_position)
    if isinstance(outcome, DuplicateKey):
        return o.Refused("duplicate")
    return o.Refused("conflict" if isinstance(outcome, VersionConflict) else "fenced")


def _new_event(event: o.Event) -> NewEvent:
    event_id = uuid.uuid4()
    metadata = EventMetadata(event_id, event.key, causation_id=event.claim, command_id=event.key)
    return NewEvent(encode_event(catalogue_event(event)), event_id, msgspec.json.encode(metadata))


def _row(row: Any) -> o.Row:
    product_id, claim, is_held = row
    return o.Row(UUID(int=product_id.int), claim, is_held)


def _key(text: str) -> UUID:
    return uuid.uuid5(uuid.NAMESPACE_OID, text)


def _sql(name: str) -> str:
    return load_sql(_PACKAGE, name)
