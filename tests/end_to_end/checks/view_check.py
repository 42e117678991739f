"""What a file in `views/` must have. A new view is a new file there and its name in `views/__init__.py`."""

from collections.abc import Iterator
from typing import Any, Protocol

from tests.end_to_end.checks.history import History
from tests.servers import DatabaseDsns


class Place(Protocol):
    """Where an installation's things are: databases, Redis, Kafka, HTTP, and the prefix of its names."""

    event_store: DatabaseDsns
    read_model: DatabaseDsns
    redis_url: str
    prefix: str

    @property
    def servers(self) -> Any:
        """`.kafka.bootstrap_servers`: a broker that may be asked directly."""

    @property
    def query_url(self) -> str: ...


class ViewCheck(Protocol):
    """A module with these three names.

    `PROJECTION` is the consumer group without the installation's prefix: the checker begins when that group
    has applied all there is in `products-events`. None for what is no consumer of it.

    `gather` runs at rest, before the checks, and answers what is there to see, in plain values of its own
    choice: as the databases' owner, by a foreign client, never through the product's code.

    `problems` is given the folded log and what `gather` has answered; it yields a sentence for each thing
    that is not as the contract promises, with the product's id and versions in it. Pure: tests break what it
    is given (`test_checker.py`), which is how a check shows that it can fail.
    """

    @property
    def PROJECTION(self) -> str | None: ...

    async def gather(self, place: Place) -> Any: ...

    def problems(self, history: History, seen: Any) -> Iterator[str]: ...
