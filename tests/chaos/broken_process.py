"""`python -m tests.chaos.broken_process BREAK PACKAGE ARGUMENTS`: a process without one of its guards.

The product's methods are replaced from outside, in this process alone. Their names are private; if one does
not exist any more, the process does not start, and `test_breaks.py` names it.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import msgspec

from tests.chaos.breaks import BREAKS
from tests.chaos.watched_process import run_watched

_SLOWNESS_SECONDS = 0.3


def _none_but_slow() -> None:
    """A projector waits between reading and writing, so that others can write meanwhile."""
    from projector.views.postgres import view
    from projector.views.postgres.shortcut import PostgresShortcut
    from projector.views.product_cache.redis.documents import CachedProducts

    for owner in (view._Batch, CachedProducts):
        _replace(owner, "save", _slow)
    _replace(PostgresShortcut, "save", _slow)


def _slow(original: Any) -> Any:
    async def later(self: Any, *what: Any) -> Any:
        await asyncio.sleep(_SLOWNESS_SECONDS)
        return await original(self, *what)

    return later


def _no_cas() -> None:
    """Also removes the lock of the checkpoint's row: without it two transactions have no order."""
    from projector.postgres.failures import translated
    from projector.views.postgres import view

    _none_but_slow()
    sql = """
    INSERT INTO views.projection_checkpoint (projection, topic, partition, next_offset, log_position, log_id)
    SELECT $1, $2, * FROM unnest($3::int[], $4::bigint[], $5::bigint[], $6::uuid[])
    ON CONFLICT (projection, topic, partition) DO UPDATE
    SET next_offset = EXCLUDED.next_offset, log_position = EXCLUDED.log_position
    """

    @asynccontextmanager
    async def begin(self: Any, reached: Mapping[int, Any]) -> AsyncIterator[Any]:
        points = list(reached.values())
        with translated("read model"):
            async with self._pool.acquire() as connection, connection.transaction():
                yield view._Batch(connection, self._tables, self._projection, self._limits)
                await connection.execute(
                    sql, self._projection, self._topic, list(reached), [one.next_offset for one in points],
                    [one.log_position for one in points], [one.log_id for one in points],
                )  # fmt: skip

    _replace(view.PostgresView, "begin", lambda _: begin)
    _no_shortcut()


def _no_shortcut() -> None:
    """All batches take a transaction."""
    from projector.views.postgres.shortcut import PostgresShortcut

    def none(_: Any) -> Any:
        async def held(self: Any, reached: Any, product_ids: Any) -> None:
            return None

        return held

    _replace(PostgresShortcut, "held", none)


def _no_comparison() -> None:
    """The one statement of an ordinary batch writes whatever is there by now, and moves any checkpoint."""
    from projector.views.postgres import statements

    _none_but_slow()
    guards = {
        "AND checkpoint.next_offset = moves.expected_offset AND checkpoint.log_id = moves.log_id": "",
        "moved.number = cardinality($3::int[]) AND as_read.number = cardinality($10::uuid[])": "true",
        "WHERE written.old_version = read.stream_version": "WHERE $9::int[] IS NOT NULL",
    }

    def without_guards(original: Any) -> Any:
        def load_sql(package: str, name: str) -> str:
            sql = str(original(package, name))
            if name == "at_once":
                for guard, nothing in guards.items():
                    assert guard in sql
                    sql = sql.replace(guard, nothing)
            return sql

        return load_sql

    _replace(statements, "load_sql", without_guards)
    statements.at_once("projector.views.product_view", "apply_at_once", statements.LIVE, ())


def _no_row_guard() -> None:
    """A stream that begins with a creation is taken for a new product, and the statement does not compare
    versions.
    """
    from projector.applying.stream_fold import StreamFold
    from projector.views.postgres import statements

    guard = "WHERE held.stream_version < EXCLUDED.stream_version"

    def trusting(original: Any) -> Any:
        def run(self: Any, deliveries: Any, missing: Any, failing: Any) -> Any:
            if deliveries and deliveries[0].event.stream_version == 1:
                self._version, self._state, self._last = 0, None, None
            return original(self, deliveries, missing, failing)

        return run

    def without_guard(original: Any) -> Any:
        def load_sql(package: str, name: str) -> str:
            sql = str(original(package, name))
            if name == "upsert_products":
                assert guard in sql
                sql = sql.replace(guard, "")
            return sql

        return load_sql

    _no_shortcut()
    _replace(StreamFold, "run", trusting)
    _replace(statements, "load_sql", without_guard)
    statements.statement("projector.views.product_view", "upsert_products", statements.LIVE, ())


def _no_redis_guard() -> None:
    from projector.views.product_cache.redis.documents import CachedProducts
    from shared.redis import guarded_documents

    plain = b"for i = 4, #KEYS do redis.call('SET', KEYS[i], ARGV[i], 'PX', ARGV[2]) end return #KEYS - 3"
    _replace(guarded_documents, "_script", lambda _: plain)
    _replace(CachedProducts, "save", _slow)


def _no_cache_checkpoint() -> None:
    from projector.views.product_cache.redis.group_checkpoints import GroupCheckpoints

    def trusting(_: Any) -> Any:
        async def compare(self: Any, required: Any, reached: Any, mode: Any) -> None:
            return None

        return compare

    _replace(GroupCheckpoints, "_compare", trusting)


def _no_idempotency() -> None:
    from command_api.executing.execute import ExecuteCommand

    def forgetful(original: Any) -> Any:
        async def execute(self: Any, request: Any) -> Any:
            return await original(self, replace(request, key=None))

        return execute

    _replace(ExecuteCommand, "execute", forgetful)


def _no_read_back() -> None:
    from command_api.executing.ports import StoreUnavailable
    from command_api.postgres import group_commit

    def careless(_: Any) -> Any:
        async def reconcile(self: Any, batch: Any, error: Exception) -> None:
            self._connection.drop()
            group_commit.fail(batch, StoreUnavailable("surely nothing was written"), error)

        return reconcile

    _replace(group_commit.GroupCommit, "_reconcile", careless)


def _cursor_first() -> None:
    from command_api.relay.kafka.publisher import KafkaPublisher
    from command_api.relay.ports import Published

    def hopeful(original: Any) -> Any:
        async def publish(self: Any, chunk: Any) -> Any:
            await original(self, chunk)
            return Published(len(chunk.events))

        return publish

    _replace(KafkaPublisher, "publish", hopeful)


def _no_token() -> None:
    from query_api.products.http import routes

    _replace(routes, "consistency_of", lambda _: lambda _request, _limits: (None, {}))


def _no_known_version() -> None:
    """A command takes effect on the version that it finds, whatever it was decided on."""
    from command_api.postgres.event_store import PostgresEventStore

    def trusting(original: Any) -> Any:
        async def append(self: Any, append: Any) -> Any:
            if append.known_in is not None:
                found = (await self.load(append.product_id)).stream_version
                append = replace(append, expected_version=found, known_in=None)
            return await original(self, append)

        return append

    _replace(PostgresEventStore, "append", trusting)


def _no_last_event() -> None:
    from query_api.history import latest
    from shared.contract.views import decode_document, encode_document

    def short(original: Any) -> Any:
        def row(product_id: Any, version: int, document: Any, events: Any) -> Any:
            made = original(product_id, version, document, events)
            if made is None or made.body is None or len(events) < 2:
                return made
            before = original(product_id, version, document, events[:-1])
            old = decode_document(before.body)
            last = msgspec.structs.replace(
                old, version=made.stream_version, updated_at=events[-1].recorded_at
            )
            return made._replace(body=encode_document(last))

        return row

    _replace(latest, "_row", short)


def _no_tail_floor() -> None:
    """A projection follows the shared reader, although the tail lacks records that it has not read, and takes
    what comes.
    """
    from projector.kafka.continuity import Continuity
    from projector.kafka.tail import Tail

    def careless(original: Any) -> Any:
        def reaches(self: Any, places: Any) -> bool:
            self.first_offsets = dict.fromkeys(self.first_offsets, 0)
            return bool(original(self, places))

        return reaches

    _replace(Tail, "reaches", careless)
    _replace(Continuity, "_is_passed_over", lambda _: lambda _self, _partition, _offsets: False)


def _no_claim() -> None:
    """Every sender may send the mail."""
    from projector.notifications.ports import Claim
    from projector.notifications.postgres.claims import PostgresClaims

    def generous(original: Any) -> Any:
        async def claim(self: Any, wanted: Any, again: Any, claim_id: Any) -> Claim:
            await original(self, wanted, again, claim_id)
            return Claim(True, "claimed")

        return claim

    _replace(PostgresClaims, "claim", generous)


def _replace(owner: Any, name: str, make: Callable[[Any], Any]) -> None:
    """Raises AttributeError if the product has no attribute of this name any more."""
    setattr(owner, name, make(getattr(owner, name)))


INSTALL: dict[str, Callable[[], None]] = {
    "none-but-slow": _none_but_slow,
    "no-cas": _no_cas,
    "no-row-guard": _no_row_guard,
    "no-comparison": _no_comparison,
    "no-redis-guard": _no_redis_guard,
    "no-cache-checkpoint": _no_cache_checkpoint,
    "no-idempotency": _no_idempotency,
    "no-read-back": _no_read_back,
    "cursor-first": _cursor_first,
    "no-token": _no_token,
    "no-known-version": _no_known_version,
    "no-last-event": _no_last_event,
    "no-tail-floor": _no_tail_floor,
    "no-claim": _no_claim,
}
assert INSTALL.keys() == BREAKS.keys()

if __name__ == "__main__":
    name, *command = sys.argv[1:]
    INSTALL[name]()
    run_watched(*command)
