"""Settings of the delivery of webhooks."""

from typing import Annotated

from pydantic import AfterValidator, Field

from shared.ops.tls import ReadableFile
from shared.webhooks.settings import WebhookSettings

_DELAY_SECONDS_MAX = 604_800


def _delays(text: str) -> tuple[float, ...]:
    return tuple(float(each) for each in text.split(",") if each.strip())


def _valid_delays(text: str) -> str:
    if any(not 0 <= each <= _DELAY_SECONDS_MAX for each in _delays(text)):
        raise ValueError(f"delays are seconds from 0 to {_DELAY_SECONDS_MAX}")
    return text


class WebhookDeliverySettings(WebhookSettings):
    """Limits have the names of what they limit."""

    # Attempts at the same time: to one endpoint, and of this process in all.
    webhook_attempts_per_endpoint_max: int = Field(default=16, ge=1, le=256)
    webhook_attempts_max: int = Field(default=128, ge=1, le=1024)
    # One attempt, and its connection. The specification recommends 15 to 30 s.
    webhook_attempt_seconds_max: float = Field(default=15.0, gt=0, le=60)
    webhook_connect_seconds_max: float = Field(default=5.0, gt=0, le=60)
    # An authority that signed certificates of receivers, beside those of the system.
    webhook_ca_file: ReadableFile = None
    # How often a process looks for new events while there are endpoints, and for changes of endpoints.
    webhook_poll_seconds: float = Field(default=0.25, gt=0, le=60)
    webhook_endpoints_poll_seconds: float = Field(default=1.0, gt=0, le=60)
    # Messages in the queue of an endpoint; more events wait in the log.
    webhook_messages_waiting_max: int = Field(default=10_000, ge=1)
    # How long an endpoint may fail, without one success, before it is disabled.
    webhook_disable_after_seconds: float = Field(default=432_000.0, gt=0)
    # How long settled deliveries can be looked up and sent again.
    webhook_days_kept: int = Field(default=30, ge=1, le=3650)
    # How long a connection to a receiver is kept open without use, and how much of an answer is kept.
    webhook_keepalive_seconds: float = Field(default=30.0, gt=0)
    webhook_response_bytes_max: int = Field(default=1024, ge=0, le=65_536)
    # How long an endpoint rests that is overloaded and names no time, and the longest time that it may name.
    webhook_throttle_seconds: float = Field(default=5.0, ge=0)
    webhook_retry_after_seconds_max: float = Field(default=86_400.0, ge=0)
    # How often old deliveries are deleted; how long to wait after an outage of a database; and at a stop, how
    # long to wait for attempts, which are repeated otherwise: less than SHUTDOWN_SECONDS_MAX.
    webhook_purge_seconds: float = Field(default=600.0, gt=0)
    webhook_outage_pause_seconds: float = Field(default=1.0, gt=0, le=60)
    webhook_finish_seconds_max: float = Field(default=10.0, ge=0, le=60)
    # Seconds after each failed attempt, with commas; then the message is given up.
    webhook_retry_seconds: Annotated[str, AfterValidator(_valid_delays)] = (
        "5,300,1800,7200,18000,36000,50400,72000,86400"
    )

    @property
    def webhook_retry_schedule(self) -> tuple[float, ...]:
        """Seconds after each failed attempt."""
        return _delays(self.webhook_retry_seconds)

    @property
    def delivers_webhooks(self) -> bool:
        """Without a key there are no endpoints."""
        return bool(self.webhook_secret_key)
