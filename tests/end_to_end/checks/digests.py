"""Digests: each came once, to its recipient, and counts exactly the events whose rows name it.

That each event has one row a recipient, and that a gathered one names a digest, is checked in `mails.py`.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from tests.end_to_end.checks.mails import DELIVERIES, GATHERED, Claim, DeliveredDigest, Mails
from tests.end_to_end.checks.parked import NOTIFICATIONS, Parked

_NEW, _ARCHIVED, _BOTH, _CHEAPER = (
    "New products", "Archived products", "New products that are already archived", "Lower prices",
)  # fmt: skip
_HEADING = re.compile(r"^([A-Z][a-z ]+): ([0-9,]+)$", re.MULTILINE)


def problems(mails: Mails, parked: Sequence[Parked]) -> Iterator[str]:
    """`mails` when no mail is in flight any more."""
    asked = {one.event_id for one in parked if one.projection == NOTIFICATIONS}
    claims: dict[str, list[tuple[str, Claim]]] = defaultdict(list)
    for (_, recipient), claim in mails.claims.items():
        if claim.digest_id is not None:
            claims[claim.digest_id].append((recipient, claim))
    times = Counter(one.digest_id for one in mails.delivered_digests)
    for digest_id in sorted({*times, *claims} - mails.digests.keys()):
        yield f"digest: {digest_id} has no row, and has come {times[digest_id]} times"
    for digest_id, row in sorted(mails.digests.items()):
        where, some = f"digest: {digest_id} to {row.recipient}", claims[digest_id]
        if any(recipient != row.recipient or claim.state != GATHERED for recipient, claim in some):
            yield f"{where} has events that are not gathered for that recipient"
        if not some:
            if times[digest_id] or row.state != "discarded":
                yield f"{where} is {row.state} and has no events, and has come {times[digest_id]} times"
            continue
        if times[digest_id] not in DELIVERIES.get(row.state, ()):
            yield f"{where} is {row.state}, and has come {times[digest_id]} times"
        if row.state != "sent" and digest_id not in asked:
            yield f"{where} is {row.state}, and has no dead letter"
    for mail in mails.delivered_digests:
        if mail.digest_id in mails.digests:
            yield from _mail(mail, mails.digests[mail.digest_id].recipient, claims[mail.digest_id])


def _mail(mail: DeliveredDigest, recipient: str, some: Sequence[tuple[str, Claim]]) -> Iterator[str]:
    where = f"digest: {mail.digest_id} to {recipient}"
    if mail.recipient != recipient:
        yield f"{where} went to {mail.recipient}"
    if mail.event_count != str(len(some)):
        yield f"{where} counts {mail.event_count} events, and {len(some)} rows name it"
    kinds: dict[str, set[str]] = defaultdict(set)
    for _, claim in some:
        kinds[claim.product_id].add(claim.kind)
    wanted = Counter(map(_heading, kinds.values()))
    shown = {heading: int(number.replace(",", "")) for heading, number in _HEADING.findall(mail.text)}
    if shown != wanted:
        yield f"{where} counts {shown}, and should count {dict(wanted)}"
    if sum(wanted.values()) != sum(map(int, re.findall(r"[0-9]+", mail.subject.replace(",", "")))):
        yield f"{where} counts other products in its subject: {mail.subject!r}"


def _heading(kinds: set[str]) -> str:
    """Each product stands under one."""
    if "product-created" in kinds:
        return _BOTH if "product-archived" in kinds else _NEW
    return _ARCHIVED if "product-archived" in kinds else _CHEAPER
