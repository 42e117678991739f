"""Readers that read during the faults: an outage is an acceptable answer, a wrong 200 or 404 is not.

With the newest token that any client got for a product, a document must not be older than that acknowledged
write; without one, not older than what every view has had once (`Known.settle`). One document per product and
version is kept, and compared with the log in the end (`checks/witnessed.py`).
"""

import asyncio
import json
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from urllib.parse import quote

import httpx

from tests.end_to_end.known import Known, KnownProduct
from tests.end_to_end.pausing import pause

_ANSWER_SECONDS_MAX = 8.0
_WAIT_SECONDS = 2
_OF_GRAVES = 0.08
_WITHOUT_TOKEN = 0.25
_OF_SETTLED = 0.7
"""Of those without a token."""
_OF_LISTS = 0.03
_CONDITIONAL = 0.15


@dataclass(frozen=True)
class Asked:
    """One read of one product: how, and which version it must show at least (None: any, or none)."""

    how: str
    product_id: str
    version: int | None
    is_gone: bool
    """The token is that of the deletion's answer, or every view has had the deletion."""
    known_version: int | None = None
    """Sent as If-None-Match."""
    has_token: bool = True


@dataclass(frozen=True)
class Shown:
    """The answer."""

    status: int
    etag: str | None
    body: bytes


def judge(asked: Asked, shown: Shown, *, may_be_gone: bool) -> str | None:
    """The problem of an answer, if any; `may_be_gone`: a client had sent the product's deletion by then."""
    if shown.status == 503:
        return None
    if shown.status == 404:
        # Without a token a new product may not be there yet.
        return None if may_be_gone or asked.version is None else "was not found"
    if shown.status == 304 and asked.known_version is not None:
        return _judge_version(asked, shown, asked.known_version)
    if shown.status != 200:
        return f"was answered {shown.status}: {shown.body!r}"
    document = json.loads(shown.body)
    if document["id"] != asked.product_id:
        # Another product may have its slug or SKUs after its deletion or before its creation.
        return None if may_be_gone or asked.version is None else f"was answered with {document['id']}"
    return _judge_version(asked, shown, document["version"])


def _judge_version(asked: Asked, shown: Shown, version: int) -> str | None:
    if asked.is_gone:
        return f"was shown after its deletion: {shown.status} {shown.body!r}"
    if shown.etag != f'"{version}"':
        return f"is version {version} and has the ETag {shown.etag}"
    if asked.version is not None and version < asked.version:
        return f"was acknowledged with version {asked.version} and shown with {version}"
    return None


Excuse = Callable[[Asked, Shown, bool], bool]
"""Whether a wrong answer is excused; the last: the product may be gone."""


def is_old_without_token(asked: Asked, shown: Shown, may_be_gone: bool) -> bool:
    """It would be right if the views were behind."""
    of_any = replace(asked, version=None, is_gone=False)
    return not asked.has_token and judge(of_any, shown, may_be_gone=may_be_gone) is None


def is_failure(asked: Asked, shown: Shown, may_be_gone: bool) -> bool:
    """It says that something is broken."""
    return shown.status == 500


class Readers:
    """`read(n)` for each reader, until `resting`."""

    def __init__(
        self,
        query_urls: Sequence[str],
        known: Known,
        resting: asyncio.Event,
        *,
        seed: int,
        pause_seconds: float,
    ) -> None:
        self.wrong: list[str] = []
        self.answers: Counter[str] = Counter()
        self.witnessed: dict[tuple[str, int], list[bytes]] = defaultdict(list)
        """(product id, version) -> the different documents that were shown for it."""
        self.went_back = 0
        """Reads that showed an older version than their reader had seen, older than none acknowledged."""
        self.excused: list[str] = []
        """What was wrong while it was allowed."""
        self._known = known
        self._resting = resting
        self._seed = seed
        self._excuses: list[Excuse] = []
        """All that have begun."""
        self._excuses_ended = 0
        self._pause_seconds = pause_seconds
        self._bodies: dict[tuple[str, int], bytes] = {}
        timeout = httpx.Timeout(_ANSWER_SECONDS_MAX, connect=2.0)
        self._apis = [httpx.AsyncClient(base_url=url, timeout=timeout, trust_env=False) for url in query_urls]

    async def close(self) -> None:
        for api in self._apis:
            await api.aclose()

    @contextmanager
    def excused_if(self, excuse: Excuse) -> Iterator[None]:
        """Answers to what is asked or answered in this block; no block in a block."""
        self._excuses.append(excuse)
        try:
            yield
        finally:
            self._excuses_ended += 1

    async def read(self, number: int) -> None:
        """One reader: single products by id, SKU and slug, deleted ones, and now and then a list."""
        chance = random.Random(f"reader {self._seed} {number}")
        seen: dict[str, int] = {}
        while not self._resting.is_set():
            api = chance.choice(self._apis)
            try:
                if chance.random() < _OF_LISTS:
                    await self._read_list(api, chance)
                else:
                    await self._read_one(api, chance, seen)
            except httpx.TransportError as error:
                self.answers[type(error).__name__] += 1
            await pause(chance.uniform(0, 2 * self._pause_seconds), self._resting)

    async def _read_one(self, api: httpx.AsyncClient, chance: random.Random, seen: dict[str, int]) -> None:
        known = self._known
        is_gone = bool(known.graves) and chance.random() < _OF_GRAVES
        has_token = chance.random() >= _WITHOUT_TOKEN
        if is_gone:
            product: KnownProduct | None = chance.choice(list(known.graves))
        elif not has_token and known.settled and chance.random() < _OF_SETTLED:
            product = chance.choice(known.settled)
        else:
            product = known.choose(chance)
        if product is None:
            return
        headers: dict[str, str] = {}
        if has_token:
            headers |= {"consistency-token": product.token, "prefer": f"wait={_WAIT_SECONDS}"}
        known_version = seen.get(product.product_id) if chance.random() < _CONDITIONAL else None
        if known_version is not None:
            headers["if-none-match"] = f'"{known_version}"'
        how, path = self._address(product, chance)
        least_version = product.version if has_token else product.settled_version or None
        must_be_gone = is_gone and (has_token or product.is_settled_gone)
        asked = Asked(how, product.product_id, least_version, must_be_gone, known_version, has_token)
        excuses_ended = self._excuses_ended
        answer = await api.get(path, headers=headers)
        shown = Shown(answer.status_code, answer.headers.get("etag"), answer.content)
        self.answers[f"{how} {shown.status}"] += 1
        problem = judge(asked, shown, may_be_gone=product.may_be_gone)
        if problem is not None:
            excuses = self._excuses[excuses_ended:]
            if any(excuse(asked, shown, product.may_be_gone) for excuse in excuses):
                self.excused.append(problem)
                return
            token = headers.get("consistency-token", "no token")
            self.wrong.append(f"{product.product_id} by {how} with {token} {problem}")
        elif shown.status == 200:
            document = json.loads(shown.body)
            self._witness(document["id"], document["version"], shown.body)
            self._compare(document["id"], document["version"], shown.body)
            self.went_back += document["version"] < seen.get(product.product_id, 0)
            seen[product.product_id] = document["version"]

    def _address(self, product: KnownProduct, chance: random.Random) -> tuple[str, str]:
        how = chance.choice(("id", "id", "id", "sku", "slug" if product.slug else "id"))
        name = {"id": product.product_id, "sku": product.sku, "slug": product.slug}[how]
        by = "" if how == "id" else f"by-{how}/"
        return how, f"/v1/products/{by}{quote(name, safe='')}"

    async def _read_list(self, api: httpx.AsyncClient, chance: random.Random) -> None:
        """A page may be some seconds old; each of its documents was true at its version."""
        category = f"chaos/{chance.randint(1, 3)}"
        parameters = {"status": "draft,active,archived", "limit": "50", "category": category}
        answer = await api.get("/v1/products", params=parameters)
        self.answers[f"list {answer.status_code}"] += 1
        if answer.status_code == 200:
            for document in answer.json()["items"]:
                self._witness(document["id"], document["version"], json.dumps(document).encode())
        elif answer.status_code != 503:
            self.wrong.append(f"a list was answered {answer.status_code}: {answer.text}")

    def _witness(self, product_id: str, version: int, body: bytes) -> None:
        bodies = self.witnessed[product_id, version]
        if body not in bodies:
            bodies.append(body)

    def _compare(self, product_id: str, version: int, body: bytes) -> None:
        """The tag is a strong one: whatever has it is the same, byte by byte."""
        first = self._bodies.setdefault((product_id, version), body)
        if body != first:
            self.wrong.append(f"{product_id} v{version} was shown as {first!r} and as {body!r}")
