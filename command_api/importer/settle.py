"""Brings loaded products to the status that the file wants; where it wants none, they keep theirs.

The likely transition is asked for first; it is a no-op where the product is there already. Where it
is not allowed, the product was elsewhere: an archived product is restored, and one that was never
published is published on its way to the archive. A draft is never made of a published product: the
catalogue has no such transition.
"""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Literal

from command_api.importer.answers import ItemAnswer, transition
from command_api.importer.client import BatchClient
from command_api.importer.source import WantedStatus

_Op = Literal["publish", "archive", "restore"]
_LIKELY: dict[WantedStatus, tuple[_Op, ...]] = {"draft": (), "active": ("publish",), "archived": ("archive",)}
_DETOUR: dict[WantedStatus, tuple[_Op, ...]] = {
    "draft": (),
    "active": ("restore",),
    "archived": ("publish", "archive"),
}
_Loaded = tuple[WantedStatus | None, ItemAnswer]


async def settle(loaded: Sequence[_Loaded], api: BatchClient) -> list[ItemAnswer]:
    """The last answer about each product, in order: of its upsert where no transition was wanted."""
    last = [answer for _, answer in loaded]
    elsewhere = [index for index, (wanted, answer) in enumerate(loaded) if answer.product_status != wanted]
    await _ask(_LIKELY, elsewhere, loaded, last, api)
    elsewhere = [index for index in elsewhere if _not_allowed(last[index])]
    await _ask(_DETOUR, elsewhere, loaded, last, api)
    return last


async def _ask(
    ways: dict[WantedStatus, tuple[_Op, ...]],
    indexes: Sequence[int],
    loaded: Sequence[_Loaded],
    last: list[ItemAnswer],
    api: BatchClient,
) -> None:
    """Sends the transitions of these products in one request and notes the answer to each one's last."""
    asked: list[int] = []
    operations = []
    for index in indexes:
        wanted, answer = loaded[index]
        for op in ways[wanted] if wanted else ():
            asked.append(index)
            operations.append(transition(op, answer.product_id or ""))
    for index, answer in zip(asked, await api.send(operations), strict=True):
        last[index] = answer


def _not_allowed(answer: ItemAnswer) -> bool:
    return answer.http_status == HTTPStatus.CONFLICT and answer.code != "version-conflict"
