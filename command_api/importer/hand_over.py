"""Moves SKUs from one product of the file to another, whatever the order of the file.

In the first pass the API refuses a product that takes a SKU before its holder has given it up. Such products
wait. They are sent again, holders first, until a pass loads none. If products of the file then wait for each
other in a circle (two products that swap their SKUs), one of them gets temporary SKUs for a moment. Its
variants stay the same, so nothing is lost that the file does not state. All others are refused.

An import that dies in between leaves temporary SKUs; a second import of the same file repairs them.
"""

from collections.abc import Sequence
from typing import Any

from command_api.importer.answers import ItemAnswer, upsert
from command_api.importer.chunks import OPERATIONS_PER_REQUEST, chunks
from command_api.importer.delivery import Delivery
from command_api.importer.source import Candidate
from command_api.importer.spool import Spool
from command_api.importer.swaps import Waiting, holders_first, hopeful
from shared.contract.text import normal_slug, normal_text

# A SKU that no product has, because the run's id is part of it.
TEMPORARY_SKU = "import-{run}-{line}-{place}"


class HandOver:
    """Collects the products that the first pass could not load, and finishes them."""

    def __init__(self, delivery: Delivery, spool: Spool) -> None:
        self._delivery = delivery
        self._spool = spool
        self._waiting: dict[str, Waiting] = {}

    def add(self, candidate: Candidate, answer: ItemAnswer) -> None:
        """Adds a product that `answer` refused because other products hold its SKUs."""
        variants = candidate.product.get("variants", [])
        skus = [variant.get("sku") for variant in variants]
        self._waiting[_slug(candidate)] = Waiting(
            offset=self._spool.add(candidate),
            line=candidate.line,
            wanted=frozenset(normal_text(sku) for sku in skus if isinstance(sku, str)),
            states_all=all(isinstance(sku, str) for sku in skus),
            answer=answer,
        )

    async def finish(self) -> None:
        """Loads or refuses every waiting product."""
        self._waiting = dict(sorted(self._waiting.items(), key=lambda item: item[1].line))
        while self._waiting:
            order, _ = holders_first(self._waiting)
            if await self._pass(order):
                continue
            hope = hopeful(self._waiting)
            _, cuts = holders_first({slug: self._waiting[slug] for slug in order if slug in hope})
            uncut = [slug for slug in cuts if not self._waiting[slug].was_cut]
            if not uncut:
                # Only now: the last answers name the holders of the SKUs after all other loads.
                for slug in list(self._waiting):
                    self._refuse(slug)
            for start in range(0, len(uncut), OPERATIONS_PER_REQUEST):
                await self._stand_aside(uncut[start : start + OPERATIONS_PER_REQUEST])

    async def _pass(self, order: Sequence[str]) -> bool:
        """Sends all waiting products, one request after the other; True if any was loaded."""
        loaded_count = 0
        candidates = (self._spool.get(self._waiting[slug].offset) for slug in order)
        for chunk in chunks(candidates, self._delivery.refuse):
            delivered = await self._delivery.send(chunk)
            loaded_count += delivered.loaded_count
            answers = {_slug(candidate): answer for candidate, answer in delivered.taken}
            for slug in map(_slug, chunk.candidates):
                if slug in answers:
                    self._waiting[slug].answer = answers[slug]
                else:
                    del self._waiting[slug]
        return loaded_count > 0

    async def _stand_aside(self, slugs: Sequence[str]) -> None:
        """Frees the SKUs that these products hold and do not want, with an upsert of their variants alone."""
        candidates = [self._spool.get(self._waiting[slug].offset) for slug in slugs]
        products = [
            _under_temporary_skus(candidate, self._waiting[slug], self._delivery.api.run_id)
            for slug, candidate in zip(slugs, candidates, strict=True)
        ]
        answers = await self._delivery.api.send([upsert(product) for product in products])
        for slug, candidate, answer in zip(slugs, candidates, answers, strict=True):
            self._waiting[slug].was_cut = True
            if not answer.accepted:
                del self._waiting[slug]
                self._delivery.refuse_as(candidate, answer)

    def _refuse(self, slug: str) -> None:
        waiting = self._waiting.pop(slug)
        more = (
            "; some of its variants have temporary SKUs now: import the file again" if waiting.was_cut else ""
        )
        self._delivery.refuse_as(self._spool.get(waiting.offset), waiting.answer, more)


def _under_temporary_skus(candidate: Candidate, waiting: Waiting, run_id: str) -> dict[str, Any]:
    contested = {conflict.sku for conflict in waiting.answer.conflicts}
    variants = [
        {**variant, "sku": TEMPORARY_SKU.format(run=run_id, line=candidate.line, place=place)}
        if normal_text(variant["sku"]) in contested
        else variant
        for place, variant in enumerate(candidate.product["variants"])
    ]
    return {"slug": candidate.product["slug"], "variants": variants}


def _slug(candidate: Candidate) -> str:
    return normal_slug(candidate.product["slug"])
