"""The interface of a file in `views/`. A new view is a new file there and its name in `views/__init__.py`."""

from collections.abc import Iterator
from typing import Any, Protocol

from tests.end_to_end.checks.history import History
from tests.servers import DatabaseDsns


class Place(Protocol):
    """The addresses of an installation (databases, Redis, Kafka, HTTP), the prefix of its names, and settings
    of its own.
    """

    event_store: DatabaseDsns
    read_model: DatabaseDsns
    redis_url: str
    prefix: str
    settings: dict[str, str]

    @property
    def servers(self) -> Any:
        """`.kafka.bootstrap_servers`: a broker that may be asked directly."""

    @property
    def query_url(self) -> str: ...


class ViewCheck(Protocol):
    """A module with these three names.

    `PROJECTION` is the consumer group without the installation's prefix: the checker begins when that group
    has applied all of `products-events`. None if the view is not a consumer of it.

    `gather` runs at rest, before the checks, and returns its observations as plain values of its own choice.
    It connects as the databases' owner, or with a foreign client, and never uses the product's code.

    `problems` gets the folded log and the result of `gather`; it yields a sentence for each problem, with the
    product's id and versions. Pure: tests damage its arguments (`test_checker.py`) to prove that the check
    can fail.
    """

    @property
    def PROJECTION(self) -> str | None: ...

    async def gather(self, place: Place) -> Any: ...

    def problems(self, history: History, seen: Any) -> Iterator[str]: ...
