"""Tickets for streams: whose they are, how long they last, and what is refused."""

import pytest

from query_api.events.http.ticket_access import caller_by_ticket
from query_api.events.http.tickets import TICKET_SECONDS, Tickets
from shared.access.caller import Caller
from shared.access.errors import InvalidToken
from shared.access.scopes import Scope

NOW = 1_000_000.0
ANN = Caller("ann", frozenset({Scope.EVENTS_READ, Scope.PRODUCTS_WRITE}), "shop", NOW + 3600)


class Clock:
    now = NOW

    def __call__(self) -> float:
        return self.now


def test_a_ticket_names_its_caller_and_gives_one_right() -> None:
    ticket = Tickets(b"key", Clock()).issue(ANN)
    assert ticket.expires_at == NOW + TICKET_SECONDS
    caller = Tickets(b"key", Clock()).caller(ticket.text)
    assert caller == Caller("ann", frozenset({Scope.EVENTS_READ}), "shop", NOW + TICKET_SECONDS)


def test_a_ticket_ends_with_the_token_of_its_caller() -> None:
    short = Caller("ann", frozenset({Scope.EVENTS_READ}), None, NOW + 5)
    assert Tickets(b"key", Clock()).issue(short).expires_at == NOW + 5


def test_a_ticket_that_is_expired_changed_or_of_another_key_is_refused() -> None:
    clock = Clock()
    tickets = Tickets(b"key", clock)
    text = tickets.issue(ANN).text
    with pytest.raises(InvalidToken, match="not made here"):
        Tickets(b"other", clock).caller(text)
    for place in range(len(text)):
        changed = text[:place] + ("A" if text[place] != "A" else "B") + text[place + 1 :]
        if changed != text:
            with pytest.raises(InvalidToken):
                tickets.caller(changed)
    for wrong in ("", "x", "a" * 100, "ü", text[:20]):
        with pytest.raises(InvalidToken):
            tickets.caller(wrong)
    clock.now += TICKET_SECONDS
    with pytest.raises(InvalidToken, match="expired"):
        tickets.caller(text)


def test_a_ticket_counts_for_a_stream_alone_and_not_without_a_name() -> None:
    tickets = Tickets(b"key", Clock())
    query = f"types=product-created&ticket={tickets.issue(ANN).text}".encode()
    found = caller_by_ticket(tickets, {"path": "/v1/events/stream", "query_string": query})
    assert found is not None
    assert found.subject == "ann"
    assert caller_by_ticket(tickets, {"path": "/v1/events", "query_string": query}) is None
    assert caller_by_ticket(tickets, {"path": "/v1/events/stream", "query_string": b""}) is None
    nobodys = f"ticket={tickets.issue(None).text}".encode()
    with pytest.raises(InvalidToken, match="without access control"):
        caller_by_ticket(tickets, {"path": "/v1/events/stream", "query_string": nobodys})
