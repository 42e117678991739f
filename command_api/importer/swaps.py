"""Products that wait for SKUs of each other: which of them can be helped, and in which order; pure.

A product waits where another one holds a SKU that it wants. Where the holder waits too and does not want
that SKU itself, it will give it up. So the waiting products are a graph, from taker to holder: along a chain
holders go first, and a circle (two products that swap their SKUs) is cut open at one of its products.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from command_api.importer.answers import ItemAnswer
from shared.contract.text import normal_slug


@dataclass
class Waiting:
    """The small facts about a product that waits; it stands in the spool at `offset`.

    `wanted` are the SKUs that it states; `states_all` is false where a variant has none, so that nobody
    knows which SKU it wants to keep. `was_cut` once it stood aside under temporary SKUs.
    """

    offset: int
    line: int
    wanted: frozenset[str]
    states_all: bool
    answer: ItemAnswer
    was_cut: bool = False

    def gives_up(self, sku: str) -> bool:
        return self.states_all and sku not in self.wanted

    def holders(self) -> Iterator[tuple[str, str | None]]:
        """(SKU that it waits for, the holder's slug in normal form)."""
        for conflict in self.answer.conflicts:
            yield conflict.sku, None if conflict.slug is None else normal_slug(conflict.slug)


def hopeful(waiting: Mapping[str, Waiting]) -> set[str]:
    """The slugs of those whose every conflict is with a hopeful product that gives the SKU up."""
    takers: defaultdict[str, set[str]] = defaultdict(set)
    lost: list[str] = []
    for slug, taker in waiting.items():
        for sku, holder in taker.holders():
            if holder is not None and holder in waiting and waiting[holder].gives_up(sku):
                takers[holder].add(slug)
            else:
                lost.append(slug)
    hope = set(waiting)
    while lost:
        slug = lost.pop()
        if slug in hope:
            hope.remove(slug)
            lost.extend(takers[slug])
    return hope


def holders_first(waiting: Mapping[str, Waiting]) -> tuple[list[str], list[str]]:
    """(all slugs, holders before takers; those at which a circle must be cut for that).

    A depth-first search; a holder that is met while its own search still runs closes a circle.
    """
    order: list[str] = []
    cuts: dict[str, None] = {}
    is_done: dict[str, bool] = {}
    for start in waiting:
        if start in is_done:
            continue
        is_done[start] = False
        path = [(start, waiting[start].holders())]
        while path:
            slug, holders = path[-1]
            conflict = next(holders, None)
            if conflict is None:
                order.append(slug)
                is_done[slug] = True
                path.pop()
                continue
            _, holder = conflict
            if holder is None or holder not in waiting:
                continue
            if holder not in is_done:
                is_done[holder] = False
                path.append((holder, waiting[holder].holders()))
            elif not is_done[holder]:
                cuts[holder] = None
    return order, list(cuts)
