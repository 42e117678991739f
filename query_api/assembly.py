"""The composition root: all parts of the query API, wired by constructors."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import asyncpg

from query_api.consistency.http import WaitLimits
from query_api.consistency.postgres import PostgresCheckpoints
from query_api.consistency.visibility import Visibility
from query_api.console.http import console_policies, console_routes
from query_api.cursors import Cursors
from query_api.events.parts import EventParts, event_parts
from query_api.export.parts import export_route
from query_api.history.http.routes import history_routes, past_answer, price_history_routes
from query_api.history.parts import history_parts
from query_api.http.application import AddRoutes, http_application
from query_api.http.lanes import lane_of, lanes
from query_api.imports.parts import import_parts
from query_api.postgres.pools import bounded, planned_anew, read_model_pool
from query_api.products.http.hot_answer import HotAnswers
from query_api.products.http.hot_parts import HotParts
from query_api.products.http.hot_writes import HotWrites
from query_api.products.http.list_routes import ProductListReads, list_routes
from query_api.products.http.repeated_read import hot_read_protocol
from query_api.products.http.routes import product_routes
from query_api.products.lists import ListProducts
from query_api.products.made_rows import MadeRows
from query_api.products.parts import find_product
from query_api.products.ports import PagePosition
from query_api.products.postgres.product_lists import PostgresProductLists
from query_api.products.postgres.product_table import PostgresProductTable
from query_api.products.redis.caches import Caches, caches
from query_api.products.written import WrittenProducts
from query_api.reports.analytics import Reports
from query_api.reports.http.analytics_routes import AnalyticsReads, analytics_routes
from query_api.reports.http.list_routes import ListReads
from query_api.reports.http.list_routes import list_routes as report_lists
from query_api.reports.key_pages import KeyPages
from query_api.reports.ports import GroupPosition, KeyPosition
from query_api.reports.postgres.analytics import PostgresChanges, PostgresPrices
from query_api.reports.postgres.categories import PostgresBrands, PostgresCategories
from query_api.reports.postgres.stock_items import PostgresStockItems
from query_api.search.ports import SearchEngine
from query_api.searching import Search, search_parts
from query_api.settings import QuerySettings
from query_api.status.parts import LookReads, status_parts
from query_api.webhooks import webhook_routes
from shared.access.guard import Guard
from shared.access.source import open_guard
from shared.contract.addresses import topics
from shared.ops.http.answer_headers import AnswerHeaders
from shared.ops.http.asgi import ASGIApp
from shared.ops.http.limits import ConnectionLimits
from shared.ops.http.server import HttpServer
from shared.ops.measuring import Measurement
from shared.ops.metrics.reads import WAITING_READERS
from shared.ops.overload.overload import Overload
from shared.ops.process_names import QUERY_API
from shared.postgres.clock_skew import clock_measurement
from shared.rate_limits.api_limits import ApiLimits
from shared.rate_limits.assembly import api_limits

PROCESS = QUERY_API
# Far fewer than wait for PostgreSQL at most (TABLE_READS_WAITING_MAX), so that others find places there.
READS_OF_A_CALLER = 64
_CATEGORIES, _INVENTORY, _ANALYTICS = "category_view", "inventory", "analytics"


@dataclass(frozen=True, slots=True)
class QueryApi:
    """A wired query API: the application, what hot reads ask before it (`hot_read.py`), the pool of product
    reads, that of the event log, and what the feed of the search index moves on.
    """

    application: ASGIApp
    hot: HotParts
    products: "asyncpg.Pool[asyncpg.Record]"
    log: "asyncpg.Pool[asyncpg.Record]"
    limits: ConnectionLimits
    measurements: Sequence[Measurement]
    headers: AnswerHeaders
    guard: Guard | None
    rates: ApiLimits
    overload: Overload
    search: Search
    events: EventParts

    def server(self, *, host: str, port: int) -> HttpServer:
        """The server for readers, not started yet."""
        return HttpServer(
            self.application,
            host=host,
            port=port,
            port_setting="QUERY_PORT",
            protocol=hot_read_protocol(self.hot),
            limits=self.limits,
            headers=self.headers,
            overload=self.overload,
        )


@asynccontextmanager
async def query_api(settings: QuerySettings) -> AsyncIterator[QueryApi]:
    """All parts; they connect when first used, and are closed at the end."""
    async with AsyncExitStack() as stack:
        products = await read_model_pool(settings, settings.read_model_dsn, "products", stack)
        lists_pool = await read_model_pool(settings, planned_anew(settings), "lists", stack)
        reports_pool = await _reports_pool(settings, stack)
        cached = caches(settings, stack)
        topic = topics(settings.kafka_topic_prefix).events
        visibility = _visibility(PostgresCheckpoints(products, topic), settings, stack)
        reported = _reported(reports_pool, topic, settings, stack)
        reads = bounded("products", products, settings)
        table = PostgresProductTable(reads)
        history = await history_parts(settings, reads, stack)
        events = event_parts(settings, history.log_reads, stack)
        written = WrittenProducts(history.latest, cached.products, _made_rows(settings))
        find = find_product(settings, table, (cached.local, cached.products), visibility, written)
        search = search_parts(settings, table, cached.products, visibility, stack)
        waits = [visibility, *reported.values()]
        WAITING_READERS.set_function(lambda: search.progress.waiting + sum(one.waiting for one in waits))
        looks = LookReads(reads, history.log_reads, cached.products.glance)
        status = status_parts(settings, products, history.log, search.report, looks)
        wait = WaitLimits(settings.wait_seconds_default, settings.wait_seconds_max, settings.partition_count)
        guard = await open_guard(settings, stack)
        rates = _rates(settings, stack)
        application = http_application(
            [
                await export_route(settings, visibility, wait, stack),
                list_routes(_lists(settings, lists_pool, cached, visibility), search.reads, wait),
                product_routes(find, wait, past_answer(history.reads.versions, wait)),
                history_routes(history.reads, wait),
                price_history_routes(history.reads.prices, wait),
                *events.routes,
                *_reports(settings, reports_pool, reported, wait),
                webhook_routes(history.log_reads, reads),
                *status.routes,
                import_parts(history.log_reads, _signing_key(settings)),
                *console_routes(settings),
            ],
            guard,
            requests_in_progress_max=settings.requests_in_progress_max,
            slow_request_seconds=settings.slow_request_seconds,
            docs_enabled=settings.docs_enabled,
            lines_per_second_max=settings.access_lines_per_second_max,
            limits=rates,
            caller_by_ticket=events.caller_by_ticket,
        )
        yield QueryApi(
            application,
            _hot_parts(cached, search.engine, guard, rates, HotWrites(written, wait)),
            products,
            history.log,
            settings.connection_limits,
            [clock_measurement("read model", products), *status.measurements],
            settings.answer_headers(("GET", "HEAD"), console_policies(settings)),
            guard,
            rates,
            Overload(settings.overload_limits, lanes(settings.requests_in_work_max), lane_of),
            search,
            events,
        )


def _made_rows(settings: QuerySettings) -> MadeRows:
    return MadeRows(rows_max=settings.latest_rows_max, bytes_max=settings.latest_rows_bytes_max)


def _rates(settings: QuerySettings, stack: AsyncExitStack) -> ApiLimits:
    return api_limits(stack, settings, usual=settings.reads, by_path={}, in_progress_max=READS_OF_A_CALLER)


async def _reports_pool(settings: QuerySettings, stack: AsyncExitStack) -> "asyncpg.Pool[asyncpg.Record]":
    reads_max = settings.report_reads_max
    return await read_model_pool(settings, planned_anew(settings), "reports", stack, reads_max=reads_max)


def _lists(
    settings: QuerySettings,
    pool: "asyncpg.Pool[asyncpg.Record]",
    cached: Caches,
    visibility: Visibility,
) -> ProductListReads:
    reads = bounded("lists", pool, settings)
    pages = PostgresProductLists(reads, page_bytes_max=settings.list_page_bytes_max)
    lists = ListProducts(pages, cached.lists, Cursors(_signing_key(settings), PagePosition), visibility)
    return ProductListReads(lists, cached.pages, settings.list_ttl_seconds)


def _hot_parts(
    cached: Caches, engine: SearchEngine, guard: Guard | None, rates: ApiLimits, writes: HotWrites
) -> HotParts:
    answers = HotAnswers(rates.usual_limits, is_private=guard is not None)
    return HotParts(
        cached.local, cached.products, cached.pages, cached.lists, engine, guard,
        rates.usual_limits, rates.addresses, answers, writes,
    )  # fmt: skip


def _reported(
    pool: "asyncpg.Pool[asyncpg.Record]", topic: str, settings: QuerySettings, stack: AsyncExitStack
) -> dict[str, Visibility]:
    return {
        name: _visibility(PostgresCheckpoints(pool, topic, projection=name), settings, stack)
        for name in (_CATEGORIES, _INVENTORY, _ANALYTICS)
    }


def _reports(
    settings: QuerySettings,
    pool: "asyncpg.Pool[asyncpg.Record]",
    visible: Mapping[str, Visibility],
    wait: WaitLimits,
) -> tuple[AddRoutes, ...]:
    """The reports share a bulkhead of their own, and each waits for the projection that it reads."""
    reads = bounded("reports", pool, settings, reads_max=settings.report_reads_max)
    by_key = Cursors(_signing_key(settings), KeyPosition)
    by_group = Cursors(_signing_key(settings), GroupPosition)
    lists = ListReads(
        KeyPages(PostgresCategories(reads), by_key, visible[_CATEGORIES]),
        KeyPages(PostgresBrands(reads), by_key, visible[_CATEGORIES]),
        KeyPages(PostgresStockItems(reads), by_key, visible[_INVENTORY]),
    )
    analytics = AnalyticsReads(
        Reports(PostgresChanges(reads), by_group, visible[_ANALYTICS]),
        Reports(PostgresPrices(reads), by_group, visible[_ANALYTICS]),
    )
    return report_lists(lists, wait), analytics_routes(analytics, wait)


def _visibility(
    checkpoints: PostgresCheckpoints, settings: QuerySettings, stack: AsyncExitStack
) -> Visibility:
    visibility = Visibility(checkpoints, waiters_max=settings.waiters_max)
    stack.push_async_callback(visibility.close)
    return visibility


def _signing_key(settings: QuerySettings) -> bytes:
    return settings.cursor_signing_key.read().encode()
