"""A client of both APIs that reads its own writes."""

import uuid
from types import TracebackType
from typing import Any
from urllib.parse import quote

import httpx

WAIT = "wait=10"


class Catalogue:
    """Sends requests unchanged; every `read` carries the token of the last write."""

    def __init__(self, command_url: str, query_url: str) -> None:
        timeout = httpx.Timeout(30.0)
        self._command_api = httpx.AsyncClient(base_url=command_url, timeout=timeout)
        self._query_api = httpx.AsyncClient(base_url=query_url, timeout=timeout)
        self.token = ""

    async def __aenter__(self) -> "Catalogue":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._command_api.aclose()
        await self._query_api.aclose()

    async def write(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        """Header names with `_` for `-`."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = await self._command_api.request(method, path, json=body, headers=named)
        self.token = answer.headers.get("consistency-token", self.token)
        return answer

    async def create(self, **product: Any) -> dict[str, Any]:
        """A new product's id, version, status and slug."""
        answer = await self.write("POST", "/v1/products", product)
        assert answer.status_code == 201, answer.text
        created: dict[str, Any] = answer.json()
        return created

    async def read(self, path: str, method: str = "GET", **headers: str) -> httpx.Response:
        """Read with the token of the last write."""
        return await self.read_as_it_is(
            path, method, **{"consistency_token": self.token, "prefer": WAIT, **headers}
        )

    async def read_as_it_is(self, path: str, method: str = "GET", **headers: str) -> httpx.Response:
        """Read without a token."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self._query_api.request(method, path, headers=named)

    async def product(self, product_id: str) -> dict[str, Any]:
        """The product after the last write."""
        answer = await self.read(f"/v1/products/{product_id}")
        assert answer.status_code == 200, answer.text
        document: dict[str, Any] = answer.json()
        return document

    async def ids(self, query: str) -> list[str]:
        """The ids of one page of a list, in order."""
        answer = await self.read(f"/v1/products?{query}")
        assert answer.status_code == 200, answer.text
        return [item["id"] for item in answer.json()["items"]]


def unique(word: str) -> str:
    """A name that no other test uses."""
    return f"{word}-{uuid.uuid4().hex[:10]}"


def segment(text: str) -> str:
    """One segment of a path."""
    return quote(text, safe="")


def variant(sku: str, amount: str = "50.00", currency: str = "USD", **more: Any) -> dict[str, Any]:
    """A variant with only the required fields."""
    return {"sku": sku, "price": {"amount": amount, "currency": currency}, **more}
