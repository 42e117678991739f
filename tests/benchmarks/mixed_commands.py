"""Commands as people send them, in an open loop: they start on schedule and do not wait for answers.

One create in five, the rest price changes, each with an idempotency key. The read after a command carries the
token of its answer, so it returns when the write is visible.
"""

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from tests.benchmarks.light_client import Answer, LightClient, Refused
from tests.load.latencies import percentile

# 7919 is a prime: the products that change are not those made last.
_STEP = 7919
# Fewer products would get several price changes at the same moment.
_PRODUCTS_MIN = 200
# During this time the broker's Java code is compiled.
WARM_UP_RATE, WARM_UP_SECONDS = 200, 15
_OVERLOADED, _REFUSED_SHARE_MAX = 503, 0.01
_TOKEN, _PREFER = "consistency-token", {"Prefer": "wait=5"}


# Ends when what this command has written is visible to a reader.
See = Callable[[Answer], Awaitable[None]]


class Product(NamedTuple):
    """One that can change its price."""

    product_id: str
    sku: str


@dataclass
class Outcome:
    """`answered` and `visible` in milliseconds: from when a command was sent to its answer, and from there to
    the end of its read. `refused`: commands and reads that an overloaded system did not take.
    """

    answered: list[float] = field(default_factory=list)
    visible: list[float] = field(default_factory=list)
    refused: int = 0

    @property
    def commands(self) -> int:
        """Those that were executed."""
        return len(self.answered)

    def taken(self) -> "Outcome":
        """Itself. Raises RuntimeError if many were refused: a fast refusal is no result."""
        if self.refused > self.commands * _REFUSED_SHARE_MAX:
            asked = f"{self.refused} refused, {self.commands} executed"
            raise RuntimeError(f"too many commands for this machine at this moment: {asked}")
        return self

    def answered_at(self, percent: float) -> float:
        """A percentile of the times until the answer."""
        return percentile(sorted(self.answered), percent) or float("nan")

    def visible_at(self, percent: float) -> float:
        """A percentile of the times from the answer until it was visible; NaN without reads."""
        return percentile(sorted(self.visible), percent) or float("nan")


def read_with_token(queries: LightClient) -> See:
    """A read by id with the token of the answer. Raises RuntimeError if it shows an older version."""

    async def read(answer: Answer) -> None:
        written = answer.json()
        headers = {"Consistency-Token": answer.headers[_TOKEN], **_PREFER}
        read = await queries.request("GET", f"/v1/products/{written['id']}", headers)
        if read.json()["version"] < written["version"]:
            raise RuntimeError("the read showed an older version than its token")

    return read


class MixedCommands:
    """The load on one system. Products stay known from one run of it to the next."""

    def __init__(self, commands: LightClient) -> None:
        self._commands = commands
        self.products: list[Product] = []

    async def warm_up(self, see: See | None = None, *, rate: float = WARM_UP_RATE) -> None:
        """Processes and the broker run their code for the first time; they may refuse some commands."""
        for _ in range(_PRODUCTS_MIN):
            await self._create()
        await self.run(rate, WARM_UP_SECONDS, see)

    async def run(self, rate: float, seconds: float, see: See | None = None) -> Outcome:
        """So many a second. `see` after each answer, if it is given."""
        outcome = Outcome()
        started = time.perf_counter()
        async with asyncio.TaskGroup() as sent:
            for number in range(round(rate * seconds)):
                await asyncio.sleep(max(0.0, started + number / rate - time.perf_counter()))
                sent.create_task(self._send(number, outcome, see))
        return outcome

    async def _send(self, number: int, outcome: Outcome, see: See | None) -> None:
        try:
            await self._command(number, outcome, see)
        except Refused as refused:
            if refused.status != _OVERLOADED:
                raise
            outcome.refused += 1

    async def _command(self, number: int, outcome: Outcome, see: See | None) -> None:
        started = time.perf_counter()
        is_create = number % 5 == 0
        answer = await (self._create() if is_create else self._change_price(number))
        answered = time.perf_counter()
        outcome.answered.append((answered - started) * 1000)
        if see is None:
            return
        await see(answer)
        outcome.visible.append((time.perf_counter() - answered) * 1000)

    async def _create(self) -> Answer:
        sku = uuid.uuid4().hex[:16]
        variant = {"sku": sku, "price": {"amount": "9.00", "currency": "USD"}}
        body = {"name": f"Ocean Blue Shirt {sku}", "description": "x" * 200, "variants": [variant]}
        answer = await self._commands.request("POST", "/v1/products", {"Idempotency-Key": sku}, body)
        self.products.append(Product(answer.json()["id"], sku))
        return answer

    async def _change_price(self, number: int) -> Answer:
        product_id, sku = self.products[number * _STEP % len(self.products)]
        body = {"amount": f"{number % 9000 + 1}.{number % 100:02d}", "currency": "USD"}
        path = f"/v1/products/{product_id}/variants/{sku}/price"
        return await self._commands.request("PUT", path, {"Idempotency-Key": uuid.uuid4().hex}, body)
