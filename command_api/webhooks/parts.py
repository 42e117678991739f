"""The parts of webhook endpoints, wired."""

from contextlib import AsyncExitStack
from datetime import UTC, datetime

import asyncpg
from uuid_utils.compat import uuid7

from command_api.settings import CommandSettings
from command_api.webhooks.commands import WebhookCommands
from command_api.webhooks.http.routes import WebhookRoutes
from command_api.webhooks.postgres.deliveries import KnownDeliveries
from command_api.webhooks.postgres.fetching import PoolFetches
from command_api.webhooks.postgres.store import PostgresWebhookStore, store_unavailable
from command_api.webhooks.urls import ResolvedUrls
from shared.postgres.pool import create_pool
from shared.webhooks.errors import WebhookReadUnavailable
from shared.webhooks.postgres.reads import PostgresDeliveryReads, PostgresEndpointReads
from shared.webhooks.reading import WebhookReads
from shared.webhooks.sealed_keys import SealedKeys

READ_MODEL_CONNECTIONS_MAX = 2


async def webhook_routes(
    settings: CommandSettings, event_store: "asyncpg.Pool[asyncpg.Record]", stack: AsyncExitStack
) -> WebhookRoutes:
    """Without a key that seals, webhooks are off, and the read model is not needed."""
    if not settings.webhook_secret_key:
        return WebhookRoutes(None, None, settings.product_url)
    read_model = await create_pool(
        settings.read_model_dsn,
        application_name="command-api webhooks",
        size_max=READ_MODEL_CONNECTIONS_MAX,
        statement_timeout_seconds=settings.read_timeout_seconds,
        connect_timeout_seconds=settings.connect_timeout_seconds,
        pooler=settings.postgres_pooler,
    )
    stack.push_async_callback(read_model.close)
    deliveries = PostgresDeliveryReads(PoolFetches(read_model, _read_model_unavailable))
    endpoints = PostgresEndpointReads(PoolFetches(event_store, store_unavailable))
    commands = WebhookCommands(
        PostgresWebhookStore(event_store),
        SealedKeys(settings.webhook_secret_key),
        ResolvedUrls(settings.allowed_networks, seconds_max=settings.webhook_resolve_seconds_max),
        KnownDeliveries(deliveries),
        now=lambda: datetime.now(UTC),
        new_id=uuid7,
        endpoints_max=settings.webhook_endpoints_max,
        conflict_retries_max=settings.webhook_conflict_retries_max,
    )
    return WebhookRoutes(commands, WebhookReads(endpoints, deliveries), settings.product_url)


def _read_model_unavailable() -> WebhookReadUnavailable:
    return WebhookReadUnavailable("the read model cannot be reached, or is too slow")
