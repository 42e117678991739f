"""The projection of notifications: its subscriptions, its digests, and how its dead letters are retried."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from projector.applying.dead_letters import OpenParking
from projector.applying.parking_breaker import ParkingBreaker
from projector.control.postgres import PostgresPlaceOrders
from projector.kafka.batch_run import tell_parked
from projector.kafka.metrics import ProjectionMetrics
from projector.kafka.records import read_one
from projector.kafka.running import Running, Subscription
from projector.kafka.work import Source
from projector.notifications.digest_loop import DigestLoop, LoopTools
from projector.notifications.gather import Gatherer
from projector.notifications.kafka.retry_topics import RetryTopics, retry_ends
from projector.notifications.kafka.run import NotificationRun, Tools
from projector.notifications.notify import Notifier
from projector.notifications.pace import PaceLimits
from projector.notifications.postgres.claims import PostgresClaims
from projector.notifications.postgres.digests import PostgresDigests
from projector.notifications.postgres.pacing import PostgresPacing
from projector.notifications.reposition import NotificationsSubject
from projector.notifications.retry import NotificationRetries
from projector.notifications.send_digest import DigestSender
from projector.notifications.smtp.mailer import mailer
from projector.parking.postgres.parking import PostgresParkedProducts, parking_alone
from projector.reposition.postgres.places import PostgresPlaces
from projector.stores import Stores
from shared.ops.metrics.projections import NOTIFICATION_RESULTS
from shared.ops.retry import RetryPolicy

if TYPE_CHECKING:
    from projector.settings import ProjectorSettings

# A claim has an unknown outcome when its process must have ended long ago.
_UNKNOWN_AFTER_FACTOR = 2
# Less than the time of a shutdown.
_PATIENCE_SECONDS_MAX = 15.0


@dataclass(frozen=True)
class NotificationsProjection:
    """Sends mails. It stores claims and no view, and cannot be rebuilt."""

    name: str = "notifications"
    rebuilding: None = None

    def lacks(self, settings: "ProjectorSettings") -> str | None:
        """It needs a mail server and recipients."""
        return None if settings.sends_mails else "SMTP_URL and NOTIFICATION_RECIPIENTS"

    def source(self, stores: Stores) -> Source:
        """A new group begins at the end of the topic: old events send no mail."""
        return Source(stores.topic, stores.group(self.name), "committed-or-end", waits_for_batch=True)

    def running(self, stores: Stores) -> Running:
        """A subscription for the events, one for each retry topic, and the digests."""
        settings = stores.settings
        tools, sender = self._tools(stores)
        loop = DigestLoop(
            self.name,
            LoopTools(
                _digests(stores), sender, tools.open_parking, tools.breaker, partial(tell_parked, self.name)
            ),
            settings.recipients,
            at_a_time_max=settings.notification_connections_max,
            days_kept=settings.notification_digest_days_kept,
            look_seconds=settings.notification_digest_look_seconds,
            purge_seconds=settings.notification_digest_purge_seconds,
        )
        return Running(
            self.name, list(self._subscriptions(stores, tools)), [loop], topics=tools.retries.specs
        )

    def _tools(self, stores: Stores) -> tuple[Tools, DigestSender]:
        settings, main = stores.settings, self.source(stores)
        senders = _senders(stores)
        assert senders is not None, "this projection does not run without a mail server"
        notifier, sender = senders
        retries = RetryTopics(settings, main.topic, main.group, settings.retry_delays)
        stores.stack.push_async_callback(retries.close)
        breaker = ParkingBreaker(products_max=settings.parked_products_per_minute_max)
        pacing = PostgresPacing(stores.read_model, _pace_limits(stores))
        gatherer = Gatherer(pacing, stores.log, settings.recipients)
        return Tools(settings, notifier, gatherer, retries, self._open_parking(stores), breaker), sender

    def _subscriptions(self, stores: Stores, tools: Tools) -> Iterator[Subscription]:
        """The events first, then each retry topic in the order of its delay."""
        main, retries = self.source(stores), tools.retries
        sources = {self.name: main}
        for delay, topic in zip(retries.delays, retries.names, strict=True):
            suffix = f".retry.{delay.label}"
            sources[f"{self.name}{suffix}"] = Source(topic, f"{main.group}{suffix}", "committed")
        for stage, (label, source) in enumerate(sources.items()):
            parked = PostgresParkedProducts(stores.read_model, projection=self.name, topic=source.topic)
            metrics = ProjectionMetrics(label, NOTIFICATION_RESULTS)
            orders = PostgresPlaceOrders(
                stores.read_model, stores.log, projection=self.name, topic=source.topic
            )
            run = NotificationRun(label, tools, parked, metrics, stage=stage, reported=orders.reported)
            yield Subscription(label, source, run, metrics, orders)

    def repositioning(self, stores: Stores, *, is_restored: bool) -> NotificationsSubject:
        """Events that were not delivered send their mails, if claims are known. Only with a mail server."""
        tools = self._tools(stores)[0]
        topic, settings = stores.topic, stores.settings
        parked = PostgresParkedProducts(stores.read_model, projection=self.name, topic=topic)
        metrics = ProjectionMetrics(self.name, NOTIFICATION_RESULTS)
        return NotificationsSubject(
            self.name,
            NotificationRun(self.name, tools, parked, metrics, stage=0),
            stores.log,
            PostgresPlaces(
                stores.read_model, stores.log, projection=self.name, topic=topic, has_checkpoints=False
            ),
            _claims(stores),
            partial(retry_ends, settings.kafka_servers, tools.retries.names),
            are_claims_lost=is_restored,
            topic=topic,
            partition_count=settings.partition_count,
        )

    def retrying(self, stores: Stores) -> NotificationRetries:
        """Without a mail server they can still be discarded."""
        return NotificationRetries(
            _senders(stores),
            _claims(stores),
            _digests(stores),
            self._open_parking(stores),
            stores.log,
            read_one,
        )

    def _open_parking(self, stores: Stores) -> OpenParking:
        return partial(parking_alone, stores.read_model, self.name, stores.limits)


def _unknown_after_seconds(stores: Stores) -> float:
    return _UNKNOWN_AFTER_FACTOR * stores.settings.notification_send_seconds_max


def _pace_limits(stores: Stores) -> PaceLimits:
    settings = stores.settings
    return PaceLimits(settings.notification_single_mails_max, settings.notification_digest_seconds)


def _claims(stores: Stores) -> PostgresClaims:
    return PostgresClaims(stores.read_model, unknown_after_seconds=_unknown_after_seconds(stores))


def _digests(stores: Stores) -> PostgresDigests:
    # To make the text of a digest takes time, too, with retries of reading the log.
    unknown_after_seconds = _unknown_after_seconds(stores) + _PATIENCE_SECONDS_MAX
    return PostgresDigests(
        stores.read_model, _pace_limits(stores), unknown_after_seconds=unknown_after_seconds
    )


def _senders(stores: Stores) -> tuple[Notifier, DigestSender] | None:
    settings = stores.settings
    sending = mailer(settings)
    if sending is None:
        return None
    patience = RetryPolicy(
        "notification-claims",
        settings.retry_wait_seconds_initial,
        settings.retry_wait_seconds_max,
        min(settings.retry_budget_seconds, _PATIENCE_SECONDS_MAX),
    )
    notifier = Notifier(
        _claims(stores),
        sending,
        stores.log,
        settings.recipients,
        read_url=settings.read_address,
        patience=patience,
    )
    sender = DigestSender(
        _digests(stores),
        sending,
        stores.log,
        read_url=settings.read_address,
        retry_seconds=[delay.seconds for delay in settings.retry_delays],
        patience=patience,
    )
    return notifier, sender
