"""Single requests of a trial, each on a connection of its own."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from deploy.development_token import token as development_token

_SCOPES = "products:read products:read-drafts products:write products:publish"


def new_product() -> dict[str, Any]:
    """With a SKU that no other has."""
    price, number = {"amount": "1.00", "currency": "USD"}, time.time_ns()
    return {"name": f"Of trial {number}", "variants": [{"sku": f"TRIAL-{number}", "price": price}]}


@dataclass(frozen=True)
class Answer:
    """`status` 0: there was none, and `body` says why. Names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float

    @property
    def json(self) -> Any:
        """The body, read."""
        return json.loads(self.body)


def send(
    method: str, address: str, body: object = None, *, token: str = "", wait_seconds: int = 10
) -> Answer:
    """As a caller with all rights; `token` is a Consistency-Token."""
    headers = {"Authorization": f"Bearer {development_token(_SCOPES)}", "Content-Type": "application/json"}
    if token:
        headers |= {"Consistency-Token": token, "Prefer": f"wait={wait_seconds}"}
    content = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(address, content, headers, method=method)
    started = time.monotonic()
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            status, got, read = answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            status, got, read = error.code, error.headers, error.read()
    except OSError as error:
        status, got, read = 0, None, str(error).encode()
    lower = {name.lower(): value for name, value in (got.items() if got is not None else ())}
    return Answer(status, lower, read, time.monotonic() - started)


def write_and_read(commands: str, queries: str) -> Answer:
    """Makes a product and reads it with its token: the answer of the read, or of a write that fails."""
    made = send("POST", f"{commands}/v1/products", new_product())
    if made.status != 201:
        return made
    return send("GET", f"{queries}/v1/products/{made.json['id']}", token=made.headers["consistency-token"])


def must_be(status: int, answer: Answer) -> None:
    """For `eventually_blocking`."""
    assert answer.status == status, answer
