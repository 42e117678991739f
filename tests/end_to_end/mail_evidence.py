"""A log with its mails: all correct, or with one fault each."""

from collections.abc import Callable
from typing import Any

from tests.end_to_end.checks.history import History
from tests.end_to_end.checks.mails import Claim, Delivered, Mails
from tests.end_to_end.checks.parked import Parked
from tests.end_to_end.sound_evidence import DELETED, LIVE, created, logged, priced

LOG = [
    logged(1, LIVE, 1, "product-created", created("live", "L"), "a"),
    logged(2, DELETED, 1, "product-created", created("deleted", "D"), "b"),
    logged(3, LIVE, 2, "product-price-changed", priced(2, previous=1), "c"),
    logged(4, DELETED, 2, "product-deleted", {}, "d"),
    logged(6, LIVE, 3, "product-published", {}, "e"),
    logged(7, LIVE, 4, "product-price-changed", priced(1, previous=2), "f"),
    logged(8, LIVE, 5, "product-archived", {}, "g"),
]
HISTORY = History(LOG, "log")
ANNA, BERT = "anna@mail.test", "bert@mail.test"
KINDS = {"event-1": "product-created", "event-2": "product-created", "event-7": "price-dropped",
         "event-8": "product-archived"}  # fmt: skip
TEXTS = {
    "event-1": ("New product: live", f"See: http://read/v1/products/{LIVE}"),
    "event-2": ("New product: deleted", f"See: http://read/v1/products/{DELETED}"),
    "event-7": ("Price dropped: live, now 1.00 USD", "Price: 1.00 USD, before 2.00 USD"),
    "event-8": ("Archived: live", f"See: http://read/v1/products/{LIVE}"),
}


def mails() -> Mails:
    """Every recipient was notified of every event once."""
    keys = [(event_id, recipient) for event_id in KINDS for recipient in (ANNA, BERT)]
    claims = {
        (event_id, recipient): Claim(KINDS[event_id], DELETED if event_id == "event-2" else LIVE, "sent")
        for event_id, recipient in keys
    }
    return Mails((ANNA, BERT), [Delivered(*key, *TEXTS[key[0]]) for key in keys], claims)


def dead_letter(error_class: str = "mail-outcome-unknown", projection: str = "notifications") -> Parked:
    return Parked(projection, error_class, "event-1", "topic:0:0", "the mail server was away")


def settled(seen: Mails, state: str, *, is_delivered: bool, parked: list[Parked]) -> None:
    """The outcome of Anna's mail about the first event, with a dead letter."""
    seen.claims["event-1", ANNA] = seen.claims["event-1", ANNA]._replace(state=state)
    if not is_delivered:
        seen.delivered.pop(0)
    parked.append(dead_letter())


ANNAS_MAIL = f"mail: product-created event-1 to {ANNA}"
WRONG_MAILS: dict[str, tuple[str, Callable[[Mails, list[Parked]], Any]]] = {
    "a mail came twice": (
        f"{ANNAS_MAIL} has come 2 times", lambda seen, _: seen.delivered.append(seen.delivered[0])
    ),
    "a mail came twice, and nobody knows of either": (
        "has come 2 times", lambda seen, parked: (
            settled(seen, "unknown", is_delivered=True, parked=parked),
            seen.delivered.append(seen.delivered[0]),
        )
    ),
    "a mail that is sent never came": ("is sent, and has come 0", lambda seen, _: seen.delivered.pop(0)),
    "a mail that is refused came": (
        "is refused, and has come 1", lambda seen, parked: settled(
            seen, "refused", is_delivered=True, parked=parked
        )
    ),
    "a mail that failed came": (
        "is failed, and has come 1", lambda seen, parked: settled(
            seen, "failed", is_delivered=True, parked=parked
        )
    ),
    "a mail is still claimed": (
        "is claimed, and has come 1", lambda seen, parked: settled(
            seen, "claimed", is_delivered=True, parked=parked
        )
    ),
    "a mail was discarded, and no person was there": (
        "is discarded, and has come 0", lambda seen, parked: settled(
            seen, "discarded", is_delivered=False, parked=parked
        )
    ),
    "a mail came of which there is no row": (
        "has no row, and has come 1", lambda seen, _: seen.claims.pop(("event-1", ANNA))
    ),
    "a mail is of a price that rose": (
        f"{ANNA} must not be notified of event-3, and has 1 mails",
        lambda seen, _: seen.delivered.append(seen.delivered[0]._replace(event_id="event-3")),
    ),
    "a mail is of an event that nobody is told of": (
        "must not be notified of event-6", lambda seen, _: seen.claims.update(
            {("event-6", ANNA): Claim("product-published", LIVE, "sent")}
        )
    ),
    "a mail went to a stranger": (
        "carl@mail.test must not be notified", lambda seen, _: seen.delivered.append(
            seen.delivered[0]._replace(recipient="carl@mail.test")
        )
    ),
    "a mail is of no event": (
        "must not be notified of None", lambda seen, _: seen.delivered.append(
            seen.delivered[0]._replace(event_id="None")
        )
    ),
    "a mail says something else": (
        "and says 'Archived: live'", lambda seen, _: seen.delivered.__setitem__(
            0, seen.delivered[0]._replace(subject="Archived: live")
        )
    ),
    "a mail is about another product": (
        "is about /v1/products/", lambda seen, _: seen.delivered.__setitem__(
            0, seen.delivered[0]._replace(text=TEXTS["event-2"][1])
        )
    ),
    "a mail tells another price": (
        "is about 1.00 USD, before 2.00 USD", lambda seen, _: seen.delivered.__setitem__(
            4, seen.delivered[4]._replace(text="Price: 1.00 USD, before 3.00 USD")
        )
    ),
    "a row is of another product": (
        "its row of product-created", lambda seen, _: seen.claims.update(
            {("event-1", ANNA): Claim("product-created", DELETED, "sent")}
        )
    ),
}  # fmt: skip
