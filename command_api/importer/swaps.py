"""Decides which products that wait for SKUs of each other can be loaded, and in which order; pure.

A product waits if another one holds a SKU that it wants. If the holder waits too and does not want that SKU
any more, it will give it up. So the waiting products are a graph, from taker to holder: in a chain holders
are loaded first, and a circle (two products that swap their SKUs) is cut at one of its products.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from command_api.importer.answers import ItemAnswer
from shared.contract.text import normal_slug


@dataclass
class Waiting:
    """The small data of a waiting product; the product itself is in the spool at `offset`.

    `wanted` are the SKUs that it states. `states_all` is false if a variant has none: then it is unknown
    which SKU that variant keeps. `was_cut` is true after the product got temporary SKUs.
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
        """(SKU that the product waits for, the holder's slug in normal form)."""
        for conflict in self.answer.conflicts:
            yield conflict.sku, None if conflict.slug is None else normal_slug(conflict.slug)


def hopeful(waiting: Mapping[str, Waiting]) -> set[str]:
    """The slugs of the products that can still be loaded: each holder is one of them, and gives the SKU
    up.
    """
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
    """(all slugs, holders before takers; the slugs at which a circle must be cut).

    A depth-first search: a holder that is found while its own search is running closes a circle.
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
