"""Reads that wait for their consistency token: many requests in flight, and an idle processor."""

import asyncio
import json
import subprocess

from deploy.development_token import token
from shared.ops.secret import Secret
from tests.cluster.background import Background
from tests.cluster.kubectl import NAMESPACE
from tests.cluster.requests import new_product
from tests.load.client import Client

# Shorter than the wait that each read asks for, so that each one succeeds.
_HELD_SECONDS = 3
_READ = {"prefer": "wait=10"}
_LOCK = "BEGIN; LOCK TABLE views.product_view IN SHARE MODE; SELECT 'held';\n"
_SCOPES = "products:read products:read-drafts products:write"


class WaitingReads(Background):
    """A lock holds the view up, one write is made, and `readers` ask for it at
    once; the lock is released after three seconds, all are answered, and it begins again.
    """

    def __init__(self, commands: str, queries: str, *, readers: int) -> None:
        super().__init__("waiting reads")
        self._urls, self._readers = (commands, queries), readers
        self.statuses: list[int] = []

    def must_have_no_failure(self) -> None:
        """Raises AssertionError if one was refused."""
        assert self.statuses, "nobody has read"
        assert set(self.statuses) == {200}, {one: self.statuses.count(one) for one in set(self.statuses)}

    def work(self) -> None:
        """Round after round, in one session of psql, which holds the lock."""
        sql = ["psql", "--username=postgres", "--dbname=read_model", "--quiet", "--tuples-only", "--no-align"]
        with subprocess.Popen(
            ["kubectl", f"--namespace={NAMESPACE}", "exec", "--stdin", "postgres-0", "--", *sql],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        ) as psql:  # fmt: skip
            try:
                asyncio.run(self._rounds(psql))
            finally:
                # psql ends with its input, and an open transaction with it.
                psql.communicate()

    async def _rounds(self, psql: "subprocess.Popen[str]") -> None:
        assert psql.stdin is not None
        assert psql.stdout is not None
        made_with = {"connections_max": self._readers, "seconds_max": 30.0, "token": Secret(token(_SCOPES))}
        commands, queries = (Client(url, **made_with) for url in self._urls)  # type: ignore[arg-type]
        while not self.stops.is_set():
            print(_LOCK, end="", file=psql.stdin, flush=True)
            line = await asyncio.to_thread(psql.stdout.readline)
            assert line.strip() == "held", line
            made = await commands.request("POST", "/v1/products", json.dumps(new_product()).encode())
            headers = _READ | {"consistency-token": made.header(b"consistency-token") or ""}
            reads = [
                asyncio.create_task(queries.request("GET", "/v1/products?limit=1", headers=headers))
                for _ in range(self._readers)
            ]
            await asyncio.wait(reads, timeout=_HELD_SECONDS)
            print("COMMIT;", file=psql.stdin, flush=True)
            self.statuses += [(await read).status for read in reads]
        for client in (commands, queries):
            client.close()
