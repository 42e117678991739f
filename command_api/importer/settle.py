"""Gives loaded products the status that the file asks for. Without one, they keep theirs.

The likely transition is sent first; it changes nothing if the product has that status already. If it is not
allowed, the product had another status: an archived product is restored first, and a draft is published
before it is archived. A published product never becomes a draft: the catalogue has no such transition.
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
    """The last answer about each product, in order. Without a transition it is the answer to the upsert."""
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
    """Sends the transitions of these products in one request and keeps the last answer of each product."""
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
