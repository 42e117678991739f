"""The reads of webhook endpoints, which the command API serves, too: a gateway with one address sends every
GET here.
"""

from query_api.http.application import AddRoutes
from query_api.postgres.bounded_reads import BoundedReads
from shared.webhooks.http.read_routes import webhook_reads
from shared.webhooks.postgres.reads import PostgresDeliveryReads, PostgresEndpointReads
from shared.webhooks.reading import WebhookReads


def webhook_routes(log: BoundedReads, read_model: BoundedReads) -> AddRoutes:
    """Endpoints are in the event store, their deliveries in the read model."""
    return webhook_reads(WebhookReads(PostgresEndpointReads(log), PostgresDeliveryReads(read_model)))
