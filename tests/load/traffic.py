"""The requests of each kind, and what the generator learns from their answers: ids, SKUs, slugs, tokens."""

import uuid
from collections.abc import Awaitable, Callable, Mapping
from random import Random
from typing import Any, NamedTuple
from urllib.parse import quote

import msgspec

from tests.load.client import Answer, Client
from tests.load.plan import IMPORT, Plan
from tests.load.schedule import Zipf

_encode = msgspec.json.encode
_BRANDS = ("Acme", "Borealis", "Caldera", "Dunmore", "Elkhart")
_PRODUCTS_KNOWN_MAX = 200_000
_VISIBLE_TRIES_MAX = 6
_LISTS = ("limit=50", "limit=20&sort=-updated_at", "limit=20&sort=name", "limit=20&status=draft")


class Known(NamedTuple):
    """A product that the generator has made."""

    product_id: str
    sku: str
    slug: str


class Traffic:
    """Sends a request of a kind; products are chosen by popularity (Zipf): some are read very often."""

    def __init__(self, commands: Client, queries: Client, plan: Plan) -> None:
        self._commands, self._queries = commands, queries
        self._plan = plan
        self._random = Random(plan.seed)
        self._run = uuid.uuid4().hex[:8]
        self._number = 0
        self._popular = Zipf(_PRODUCTS_KNOWN_MAX, self._random)
        self.products: list[Known] = []
        self._visible = 0
        self.send: Mapping[str, Callable[[], Awaitable[Answer]]] = {
            "create": self._create,
            "price": self._price,
            "details": self._details,
            "publish": self._publish,
            IMPORT: self._import,
            "by-id": self._by_id,
            "by-sku": self._by_sku,
            "by-slug": self._by_slug,
            "list": self._list,
        }

    async def read_with_token(self, answer: Answer) -> Answer:
        """Read the product of a command's answer, with the token of that answer."""
        product_id = msgspec.json.decode(answer.body)["id"]
        token = answer.header(b"consistency-token") or ""
        headers = {"consistency-token": token, "prefer": "wait=5"}
        return await self._queries.request("GET", f"/v1/products/{product_id}", headers=headers)

    async def make_products(self, count: int) -> None:
        """Make and publish products before the measurement. Raises RuntimeError if the system refuses."""
        while len(self.products) < count:
            before = len(self.products)
            size = min(self._plan.import_products, count - before)
            answer = await self._batch(
                [{"op": "create", "product": self._new_product()} for _ in range(size)]
            )
            if answer.status != 207 or len(self.products) == before:
                raise RuntimeError(f"no products could be made: {answer.status} {answer.body[:300]!r}")
            made = self.products[before:]
            published = await self._batch([{"op": "publish", "id": each.product_id} for each in made])
            await self._until_visible(made[-1], published)
        self._visible = len(self.products)

    async def _until_visible(self, product: Known, written: Answer) -> None:
        token = written.header(b"consistency-token") or ""
        headers = {"consistency-token": token, "prefer": "wait=10"}
        for _ in range(_VISIBLE_TRIES_MAX):
            read = await self._queries.request("GET", f"/v1/products/{product.product_id}", headers=headers)
            if read.status == 200:
                return
        raise RuntimeError(f"the products do not become visible: {read.status} {read.body[:300]!r}")

    async def _create(self) -> Answer:
        product = self._new_product()
        answer = await self._command("POST", "/v1/products", product)
        if answer.status == 201:
            self._learn(msgspec.json.decode(answer.body), product)
        return answer

    async def _price(self) -> Answer:
        product = self._one()
        price = {"amount": f"{self._random.randrange(100, 99_999) / 100:.2f}", "currency": "USD"}
        return await self._command(
            "PUT", f"/v1/products/{product.product_id}/variants/{quote(product.sku)}/price", price
        )

    async def _details(self) -> Answer:
        patch = {"description": f"Described again, number {self._next()}. " + "x" * 200}
        return await self._command("PATCH", f"/v1/products/{self._one().product_id}", patch)

    async def _publish(self) -> Answer:
        return await self._command("POST", f"/v1/products/{self._newest().product_id}/publish", None)

    async def _import(self) -> Answer:
        operations = [
            {"op": "upsert", "product": self._new_product()} for _ in range(self._plan.import_products)
        ]
        return await self._batch(operations)

    async def _by_id(self) -> Answer:
        return await self._queries.request("GET", f"/v1/products/{self._visible_one().product_id}")

    async def _by_sku(self) -> Answer:
        return await self._queries.request("GET", f"/v1/products/by-sku/{quote(self._visible_one().sku)}")

    async def _by_slug(self) -> Answer:
        return await self._queries.request("GET", f"/v1/products/by-slug/{quote(self._visible_one().slug)}")

    async def _list(self) -> Answer:
        chosen = self._random.choice(
            (*_LISTS, f"limit=20&brand={self._random.choice(_BRANDS)}", "limit=20&category=apparel")
        )
        return await self._queries.request("GET", f"/v1/products?{chosen}")

    async def _batch(self, operations: list[dict[str, Any]]) -> Answer:
        answer = await self._command("POST", "/v1/products:batch", operations)
        if answer.status == 207:
            for operation, result in zip(
                operations, msgspec.json.decode(answer.body)["results"], strict=True
            ):
                if result["status"] == 201:
                    self._learn(result, operation["product"])
        return answer

    async def _command(self, method: str, path: str, body: object) -> Answer:
        encoded = b"" if body is None else _encode(body)
        headers = {"idempotency-key": f"{self._run}-{self._next()}"}
        return await self._commands.request(method, path, encoded, headers)

    def _learn(self, made: Mapping[str, Any], product: Mapping[str, Any]) -> None:
        if len(self.products) < _PRODUCTS_KNOWN_MAX:
            sku = product["variants"][0]["sku"]
            self.products.append(Known(str(made["id"]), sku, product["slug"]))

    def _one(self) -> Known:
        return self.products[self._popular.rank(len(self.products))]

    def _visible_one(self) -> Known:
        """One that was made before the run: a reader without a token may not see a newer one yet."""
        return self.products[self._popular.rank(self._visible)]

    def _newest(self) -> Known:
        return self.products[-1 - self._popular.rank(len(self.products))]

    def _next(self) -> int:
        self._number += 1
        return self._number

    def _new_product(self) -> dict[str, Any]:
        name = f"Load {self._run} {self._next()}"
        price = {"amount": f"{self._random.randrange(100, 99_999) / 100:.2f}", "currency": "USD"}
        return {
            "name": name,
            "slug": name.lower().replace(" ", "-"),
            "description": "A product that the load generator has made. " + "x" * 200,
            "brand": self._random.choice(_BRANDS),
            "category": self._random.choice(("apparel/shirts", "apparel/trousers", "home/kitchen")),
            "tags": ["load"],
            "variants": [{"sku": f"{self._run}-{self._number}", "price": price}],
        }
