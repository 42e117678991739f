"""This system as one of the suite `peers`: with one projection, as the peers have, and with everything."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.benchmarks.bench_servers import BenchServers
from tests.benchmarks.mixed_commands import read_with_token
from tests.benchmarks.peer_system import PROJECTION, WRITE, PeerSystem
from tests.benchmarks.read_model import Statements, reading
from tests.benchmarks.whole_system import NAMES, whole_system

_SHOWN = {NAMES["command-api"]: WRITE, NAMES["projector"]: PROJECTION}

# An event of a product is one version of it; the benchmark's products have one variant.
STATEMENTS = Statements(
    log="""
        SELECT product_id, max(stream_version),
            (array_agg(coalesce(body #>> '{price,amount}', body #>> '{variants,0,price,amount}')::numeric
                ORDER BY stream_version DESC))[1],
            count(*)
        FROM (
            SELECT product_id, stream_version, convert_from(data, 'UTF8')::jsonb AS body FROM catalogue.events
        ) AS events
        GROUP BY product_id
    """,
    rows="""
        SELECT product_id, stream_version, amount, stream_version
        FROM views.product_view JOIN views.product_view_variant USING (product_id)
    """,
    versions="SELECT product_id, stream_version FROM views.product_view WHERE product_id = ANY($1)",
    applied="SELECT coalesce(sum(stream_version), 0) FROM views.product_view",
)


@asynccontextmanager
async def own_system(servers: BenchServers, *, is_whole: bool) -> AsyncIterator[PeerSystem]:
    """Command API, relay, broker and projector; with the query API if it is whole."""
    chosen = () if is_whole else ("product_view",)
    without = () if is_whole else ("query-api",)
    async with (
        whole_system(servers, projections=chosen, without=without) as system,
        reading(system.log.owner, system.view.owner, STATEMENTS) as read_model,
    ):
        pids = {_SHOWN.get(name, name): pid for name, pid in system.pids.items()}
        see = read_with_token(system.queries) if is_whole else None
        yield PeerSystem(system.command_url, system.commands, pids, read_model, see)
