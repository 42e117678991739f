"""The mails of a run: those that the mail server accepted, those in the table, and those still to be sent."""

import asyncio

import asyncpg

from tests.chaos.installation import RECIPIENTS, RETRY_DELAYS, Installation
from tests.end_to_end.checks.mails import Claim, Delivered, DeliveredDigest, DigestRow, Mails
from tests.end_to_end.checks.parked import NOTIFICATIONS
from tests.end_to_end.kafka_topics import Topics
from tests.mail_server import Received

_EVENT_ID_HEADER = "X-Catalogue-Event-Id"
_DIGEST_ID_HEADER, _EVENT_COUNT_HEADER = "X-Catalogue-Digest-Id", "X-Catalogue-Event-Count"
_SQL = """
SELECT event_id::text, notification.recipient, kind, product_id::text, state, digest_id::text
FROM views.notification LEFT JOIN views.notification_gathering USING (gathering_id)
"""
_DIGESTS_SQL = "SELECT digest_id::text, recipient, state FROM views.notification_digest"
# A gathering that is still open, and a digest that will be sent or become a dead letter by itself.
_UNTOLD_SQL = """
SELECT (SELECT count(*) FROM views.notification_gathering WHERE digest_id IS NULL)
     + (SELECT count(*) FROM views.notification_digest
        WHERE state = 'claimed' OR retry_at IS NOT NULL
           OR (state IN ('failed', 'refused', 'unknown') AND parked_at IS NULL))
"""


async def mails_must_be_at_rest(place: Installation) -> None:
    """All events are processed, and no retry is waiting. A record goes through the delays in this order."""
    await asyncio.to_thread(_must_be_at_rest, place)
    connection = await asyncpg.connect(place.read_model.owner, timeout=5)
    try:
        untold = await connection.fetchval(_UNTOLD_SQL)
    finally:
        await connection.close()
    assert not untold, f"{untold} digests are still to be sent"


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
        digests = await connection.fetch(_DIGESTS_SQL)
    finally:
        await connection.close()
    claims = {(row[0], row[1]): Claim(*tuple(row)[2:]) for row in rows}
    singles = [one for one in place.mail.taken if one.message[_DIGEST_ID_HEADER] is None]
    of_digests = [one for one in place.mail.taken if one.message[_DIGEST_ID_HEADER] is not None]
    return Mails(
        RECIPIENTS,
        [_delivered(one) for one in singles],
        claims,
        {row[0]: DigestRow(row[1], row[2]) for row in digests},
        [_delivered_digest(one) for one in of_digests],
    )


def _delivered(mail: Received) -> Delivered:
    return Delivered(str(mail.message[_EVENT_ID_HEADER]), mail.recipient, mail.subject, mail.text)


def _delivered_digest(mail: Received) -> DeliveredDigest:
    digest_id, count = (str(mail.message[name]) for name in (_DIGEST_ID_HEADER, _EVENT_COUNT_HEADER))
    text = mail.text.replace("\r\n", "\n")
    return DeliveredDigest(digest_id, mail.recipient, count, mail.subject, text)
