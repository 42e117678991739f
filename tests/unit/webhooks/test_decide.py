"""What commands for webhook endpoints decide."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from command_api.webhooks import decide
from command_api.webhooks.decide import Changes, Decision, Key, Wanted
from shared.webhooks import endpoint as e

START, LATER = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)
PRODUCT = UUID(int=7)
WANTED = Wanted("https://shop.example/hooks", "Shop", ("product-created",), (PRODUCT,))


def registered(wanted: Wanted = WANTED, key: Key = Key("sealed-1", None)) -> Decision:  # noqa: B008
    return decide.register(wanted, key, START)


def changed(document: e.EndpointDocument, *, is_disabled: bool = False, **fields: Any) -> Decision:
    """Deciding again what was decided changes nothing."""
    wanted = Changes(**fields)
    decision = decide.change(document, wanted, LATER, is_disabled=is_disabled)
    again = decide.change(decision.document, wanted, LATER + timedelta(days=1), is_disabled=False)
    assert (again.events, again.document) == ([], decision.document)
    return decision


def test_a_new_endpoint_is_enabled_and_its_event_has_no_key() -> None:
    decision = registered()
    ((event_type, data),) = decision.events
    assert event_type == "webhook-endpoint-registered"
    assert data == {
        "url": WANTED.url,
        "description": "Shop",
        "types": ("product-created",),
        "product_ids": (str(PRODUCT),),
        "signature": "hmac",
        "public_key": None,
    }
    document = decision.document
    assert document.is_enabled
    assert document.keys == (e.SealedKey("sealed-1"),)
    assert (document.created_at, document.updated_at, decision.is_deleted) == (START, START, False)
    assert e.decoded(e.encoded(document)) == document


@pytest.mark.parametrize(
    ("fields", "data"),
    [
        ({"url": "https://new.example/"}, {"url": "https://new.example/"}),
        ({"types": None}, {"types": None}),
        ({"product_ids": (UUID(int=8),)}, {"product_ids": (str(UUID(int=8)),)}),
        ({"url": WANTED.url, "description": ""}, {"description": ""}),
    ],
)
def test_a_change_has_what_changed_and_nothing_else(fields: dict[str, Any], data: dict[str, Any]) -> None:
    decision = changed(registered().document, **fields)
    assert decision.events == [("webhook-endpoint-changed", data)]
    assert decision.document == replace(registered().document, updated_at=LATER, **fields)


def test_a_change_and_a_pause_are_two_events() -> None:
    decision = changed(registered().document, description="", is_enabled=False)
    assert [event.event_type for event in decision.events] == [e.CHANGED, e.PAUSED]
    assert not decision.document.is_enabled
    back = changed(decision.document, is_enabled=True)
    assert [event.event_type for event in back.events] == [e.ENABLED]


def test_nothing_changed_is_no_event() -> None:
    document = registered().document
    for fields in ({}, {"url": WANTED.url}, {"is_enabled": True}, {"types": WANTED.types}):
        decision = changed(document, **fields)
        assert (decision.events, decision.document) == ([], document)


def test_to_enable_what_deliveries_have_disabled_is_an_event() -> None:
    document = registered().document
    decision = changed(document, is_enabled=True, is_disabled=True)
    assert [event.event_type for event in decision.events] == [e.ENABLED]
    assert changed(document, description="Shop", is_disabled=True).events == []
    paused = changed(document, is_enabled=False, is_disabled=True)
    assert [event.event_type for event in paused.events] == [e.PAUSED]


def test_a_rotation_keeps_one_old_key_until_its_time() -> None:
    first = registered(key=Key("sealed-1", "whpk_1")).document
    second = decide.rotate_key(first, Key("sealed-2", "whpk_2"), LATER, LATER + timedelta(hours=1))
    assert second.document.keys == (
        e.SealedKey("sealed-2"),
        e.SealedKey("sealed-1", LATER + timedelta(hours=1)),
    )
    ((event_type, data),) = second.events
    assert event_type == "webhook-endpoint-key-rotated"
    assert data == {"public_key": "whpk_2", "old_key_expires_at": "2026-01-02T01:00:00Z"}
    third = decide.rotate_key(second.document, Key("sealed-3", "whpk_3"), LATER, LATER)
    assert [key.sealed for key in third.document.keys] == ["sealed-3", "sealed-2"]
    alone = decide.rotate_key(third.document, Key("sealed-4", "whpk_4"), LATER, None)
    assert alone.document.keys == (e.SealedKey("sealed-4"),)
    assert alone.document.public_key == "whpk_4"


def test_a_deleted_endpoint_has_no_keys() -> None:
    decision = decide.delete(registered().document, LATER)
    assert (decision.events, decision.is_deleted) == ([("webhook-endpoint-deleted", {})], True)
    assert decision.document == replace(registered().document, keys=(), updated_at=LATER)


def test_requests_change_nothing_of_the_endpoint() -> None:
    document = registered().document
    for decision, event in (
        (decide.request_test(document, "1"), (e.TEST_REQUESTED, {"webhook_id": "1"})),
        (decide.request_redelivery(document, 5, None), (e.REDELIVERY_REQUESTED, {"delivery_id": 5})),
        (
            decide.request_redelivery(document, 5, 9),
            (e.REDELIVERY_REQUESTED, {"delivery_id": 5, "log_position": 9}),
        ),
        (decide.request_redelivery_after(document, 3), (e.REDELIVERY_REQUESTED, {"after": 3})),
    ):
        assert (decision.events, decision.document) == ([event], document)
