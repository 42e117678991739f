"""Puts the notifications together: a run for the events and one for each delay, and what operators do."""

from functools import partial
from typing import TYPE_CHECKING

from projector.applying.parking_breaker import ParkingBreaker
from projector.kafka.batch_run import tell_parked
from projector.kafka.progress import Progress
from projector.kafka.records import read_one
from projector.kafka.running import Lane, Running
from projector.kafka.work import Source
from projector.notifications.digest_loop import DigestLoop, LoopTools
from projector.notifications.drain import NotificationDrain
from projector.notifications.gather import Gatherer
from projector.notifications.kafka.retry_topics import RetryTopics
from projector.notifications.kafka.run import NotificationRun, Tools
from projector.notifications.notify import Notifier
from projector.notifications.pace import PaceLimits
from projector.notifications.postgres.claims import PostgresClaims
from projector.notifications.postgres.digests import PostgresDigests
from projector.notifications.postgres.pacing import PostgresPacing
from projector.notifications.send_digest import DigestSender
from projector.notifications.smtp.mailer import SmtpMailer
from projector.parking.postgres.parking import PostgresParkedProducts, parking_alone
from shared.ops.retry import RetryPolicy

if TYPE_CHECKING:
    from projector.stores import Stores

NOTIFICATIONS = "notifications"
# A claim is doubted when whoever has it must have given up long ago.
_DOUBT_FACTOR = 2
# Below the time that a shutdown may take.
_PATIENCE_SECONDS_MAX = 15.0


def notification_source(stores: "Stores") -> Source:
    """A new group begins with what comes next: nobody is told of what is past."""
    group = f"{stores.settings.kafka_topic_prefix}{NOTIFICATIONS}"
    return Source(stores.topic, group, "committed-or-end", gathers=True)


def running_notifications(stores: "Stores") -> Running:
    """The events, for each delay what waits in its topic, and the digests."""
    settings, main = stores.settings, notification_source(stores)
    senders = _senders(stores)
    assert senders is not None, "without a mail server this projection is not run"
    notifier, sender = senders
    retries = RetryTopics(settings, main.topic, main.group, settings.retry_delays)
    stores.stack.push_async_callback(retries.close)
    open_parking = partial(parking_alone, stores.read_model, NOTIFICATIONS, stores.limits)
    breaker = ParkingBreaker(products_max=settings.parked_products_per_minute_max)
    gatherer = Gatherer(
        PostgresPacing(stores.read_model, _pace_limits(stores)), stores.log, settings.recipients
    )
    tools = Tools(settings, notifier, gatherer, retries, open_parking, breaker)
    sources = {NOTIFICATIONS: main}
    for delay, topic in zip(retries.delays, retries.names, strict=True):
        suffix = f".retry.{delay.label}"
        sources[f"{NOTIFICATIONS}{suffix}"] = Source(topic, f"{main.group}{suffix}", "committed")
    lanes = []
    for stage, (label, source) in enumerate(sources.items()):
        parked = PostgresParkedProducts(stores.read_model, projection=NOTIFICATIONS, topic=source.topic)
        progress = Progress(label)
        run = NotificationRun(label, tools, parked, progress, stage=stage)
        lanes.append(Lane(label, source, run, progress))
    loop_tools = LoopTools(
        _digests(stores), sender, open_parking, breaker, partial(tell_parked, NOTIFICATIONS)
    )
    loop = DigestLoop(
        NOTIFICATIONS,
        loop_tools,
        settings.recipients,
        at_a_time_max=settings.notification_connections_max,
        days_kept=settings.notification_digest_days_kept,
        look_seconds=settings.notification_digest_look_seconds,
        purge_seconds=settings.notification_digest_purge_seconds,
    )
    return Running(NOTIFICATIONS, lanes, [loop], topics=retries.specs)


def notification_drain(stores: "Stores") -> NotificationDrain:
    """For operators; without a mail server they can still discard."""
    return NotificationDrain(
        _senders(stores),
        _claims(stores),
        _digests(stores),
        partial(parking_alone, stores.read_model, NOTIFICATIONS, stores.limits),
        stores.log,
        read_one,
    )


def _doubt_seconds(stores: "Stores") -> float:
    return _DOUBT_FACTOR * stores.settings.notification_send_seconds_max


def _pace_limits(stores: "Stores") -> PaceLimits:
    settings = stores.settings
    return PaceLimits(settings.notification_single_mails_max, settings.notification_digest_seconds)


def _claims(stores: "Stores") -> PostgresClaims:
    return PostgresClaims(stores.read_model, doubt_seconds=_doubt_seconds(stores))


def _digests(stores: "Stores") -> PostgresDigests:
    # Making the text of a digest takes its time, too, with patience for the log.
    doubt_seconds = _doubt_seconds(stores) + _PATIENCE_SECONDS_MAX
    return PostgresDigests(stores.read_model, _pace_limits(stores), doubt_seconds=doubt_seconds)


def _senders(stores: "Stores") -> tuple[Notifier, DigestSender] | None:
    settings = stores.settings
    server = settings.smtp_server
    if server is None or not settings.recipients:
        return None
    mailer = SmtpMailer(
        server,
        settings.notification_sender,
        timeout_seconds=settings.smtp_timeout_seconds,
        seconds_max=settings.notification_send_seconds_max,
    )
    patience = RetryPolicy(
        "notification-claims",
        settings.retry_wait_seconds_initial,
        settings.retry_wait_seconds_max,
        min(settings.retry_budget_seconds, _PATIENCE_SECONDS_MAX),
    )
    notifier = Notifier(
        _claims(stores),
        mailer,
        stores.log,
        settings.recipients,
        read_url=settings.read_address,
        patience=patience,
    )
    sender = DigestSender(
        _digests(stores),
        mailer,
        stores.log,
        read_url=settings.read_address,
        retry_seconds=[delay.seconds for delay in settings.retry_delays],
        patience=patience,
    )
    return notifier, sender
