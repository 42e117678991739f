"""The shared records of a run's writers: commands, wrong answers, and known products."""

import asyncio
import itertools
from collections import Counter

from tests.chaos.requests import Request
from tests.end_to_end.known import Known, KnownProduct
from tests.end_to_end.ledger import Command


class Books:
    """Shared by all clients. `resting`: no new commands; `giving_up`: no more attempts."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.commands: list[Command] = []
        self.wrong: list[str] = []
        """Answers that are wrong whatever the faults."""
        self.answers: Counter[str] = Counter()
        self.known = Known()
        self.resting = asyncio.Event()
        self.giving_up = asyncio.Event()
        self._numbers = itertools.count(1)

    def new_name(self) -> str:
        """A new id for a command or batch: its idempotency key, and the beginning of its request ids."""
        return f"c{self.seed}-{next(self._numbers)}"

    def begin(
        self, name: str, request: Request, product: KnownProduct | None, batch: str | None = None
    ) -> Command:
        """Record a command before it is sent."""
        if request.kind == "delete" and product is not None:
            self.known.deletion_is_sent(product)
        command = Command(
            name, request.kind, None if product is None else product.product_id, [], batch, request.about,
            request.wanted, request.if_version, lingers=True,
        )  # fmt: skip
        self.commands.append(command)
        return command

    def accuse(self, command: Command, what: str) -> None:
        """Record a wrong answer to this command."""
        self.wrong.append(f"{command.kind} {command.command_id} {what}")

    def learn(
        self, command: Command, request: Request, product: KnownProduct | None, product_id: str, token: str,
        slug: str = "",
    ) -> None:  # fmt: skip
        """Record a good answer: the product, its version, and the token of the write."""
        settled = command.answer
        assert settled is not None
        version = settled.stream_version or 0
        command.product_id = product_id
        if product is None and product_id in self.known.doomed:
            return  # an upserted one, and somebody has deleted it since
        if request.kind == "upsert":
            product, slug = self.known.by_slug.get(request.slug), request.slug
            if product is not None and product.product_id != product_id:
                return  # another one was known by this slug: one of them is gone, or about to be
        if product is None:
            is_upserted = request.kind == "upsert"
            self.known.add(KnownProduct(product_id, request.sku, slug, version, token, is_upserted))
        elif request.kind == "delete":
            self.known.is_deleted(product, token)
        else:
            product.learn(version, token)
            if request.kind == "add-variant":
                product.more_skus.append(request.sku)
