"""Puts the delivery of webhooks together."""

from projector.notifications.smtp.mailer import mailer
from projector.settings import ProjectorSettings
from projector.stores import Stores
from projector.webhooks.deliver import Deliverer, DeliveryLimits
from projector.webhooks.endpoint_changes import EndpointChanges
from projector.webhooks.fan_out import FanOut
from projector.webhooks.http.sender import HttpSender, SenderLimits
from projector.webhooks.loop import LoopTimes, Parts, WebhookLoop
from projector.webhooks.notices import OperatorNotices
from projector.webhooks.ports import Result
from projector.webhooks.postgres.endpoint_log import PostgresEndpointLog
from projector.webhooks.postgres.endpoints import PostgresEndpoints
from projector.webhooks.postgres.queue import PostgresQueue
from projector.webhooks.verdict import RetrySchedule
from shared.ops.metrics.webhooks import ATTEMPT_SECONDS, ATTEMPTS
from shared.ops.version import service_version
from shared.webhooks.sealed_keys import SealedKeys

# An attempt may begin late on a busy machine, and its result is stored after it.
_CLAIM_FACTOR = 2.0
_OUTCOMES = {"delivered": "delivered", "waiting": "retried", "failed": "failed"}


def webhook_loop(stores: Stores) -> WebhookLoop:
    """Connects when first used; its connections to receivers are closed with the stores."""
    settings = stores.settings
    log, queue = PostgresEndpointLog(stores.log_pool), PostgresQueue(stores.read_model)
    endpoints = PostgresEndpoints(stores.read_model)
    sender = HttpSender(
        SealedKeys(settings.webhook_secret_key),
        settings.allowed_networks,
        SenderLimits(
            settings.webhook_attempts_max,
            settings.webhook_attempt_seconds_max,
            settings.webhook_connect_seconds_max,
            settings.webhook_keepalive_seconds,
            settings.webhook_response_bytes_max,
        ),
        user_agent=f"product-catalogue/{service_version()}",
        ca_file=settings.webhook_ca_file,
    )
    stores.stack.push_async_callback(sender.close)
    deliverer = Deliverer(queue, sender, _limits(settings), _count)
    return WebhookLoop(
        Parts(
            EndpointChanges(log, endpoints),
            endpoints,
            queue,
            FanOut(log, queue, messages_waiting_max=settings.webhook_messages_waiting_max),
            deliverer,
            OperatorNotices(mailer(settings), settings.recipients),
        ),
        LoopTimes(
            settings.webhook_poll_seconds,
            settings.webhook_endpoints_poll_seconds,
            settings.webhook_purge_seconds,
            settings.webhook_outage_pause_seconds,
            settings.webhook_finish_seconds_max,
        ),
        days_kept=settings.webhook_days_kept,
    )


def _limits(settings: ProjectorSettings) -> DeliveryLimits:
    return DeliveryLimits(
        settings.webhook_attempts_per_endpoint_max,
        settings.webhook_attempts_max,
        _CLAIM_FACTOR * settings.webhook_attempt_seconds_max,
        settings.webhook_disable_after_seconds,
        RetrySchedule(
            settings.webhook_retry_schedule,
            settings.webhook_throttle_seconds,
            settings.webhook_retry_after_seconds_max,
        ),
    )


def _count(result: Result) -> None:
    ATTEMPTS.labels(_OUTCOMES[result.state]).inc()
    ATTEMPT_SECONDS.observe(result.answer.milliseconds / 1000)
