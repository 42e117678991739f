"""The mails of a run: what the mail server took, what the table says, what is still to come."""

import asyncio

import asyncpg

from tests.chaos.installation import RECIPIENTS, RETRY_DELAYS, Installation
from tests.end_to_end.checks.mails import Claim, Delivered, Mails
from tests.end_to_end.checks.parked import NOTIFICATIONS
from tests.end_to_end.kafka_topics import Topics
from tests.mail_server import Received

_EVENT_ID_HEADER = "X-Catalogue-Event-Id"
_SQL = "SELECT event_id::text, recipient, kind, product_id::text, state FROM views.notification"


async def mails_must_be_at_rest(place: Installation) -> None:
    """All events are done with, and no retry waits. A record goes through the delays in this order."""
    await asyncio.to_thread(_must_be_at_rest, place)


def _must_be_at_rest(place: Installation) -> None:
    topics = Topics(place.servers.kafka.bootstrap_servers, place.prefix)
    stages = {NOTIFICATIONS: "events"}
    for delay in RETRY_DELAYS:
        group = f"{NOTIFICATIONS}.retry.{delay}"
        stages[group] = f"events.{place.prefix}{group}"
    for group, kind in stages.items():
        topics.must_have_applied(group, topics.end_offsets(kind))


async def gather_mails(place: Installation) -> Mails:
    """At rest."""
    connection = await asyncpg.connect(place.read_model.owner)
    try:
        rows = await connection.fetch(_SQL)
    finally:
        await connection.close()
    claims = {(row[0], row[1]): Claim(*tuple(row)[2:]) for row in rows}
    return Mails(RECIPIENTS, [_delivered(one) for one in place.mail.taken], claims)


def _delivered(mail: Received) -> Delivered:
    return Delivered(str(mail.message[_EVENT_ID_HEADER]), mail.recipient, mail.subject, mail.text)
