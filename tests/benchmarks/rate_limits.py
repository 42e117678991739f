"""What a rate limit costs a hot read: the query API without a limit, and with one that nobody reaches.

What is measured is its processor time for each request.
"""

from uuid_utils.compat import uuid7

from tests.benchmarks import reads_http
from tests.benchmarks.bench_servers import BenchServers
from tests.benchmarks.processor_time import UNIT, cost_of_reads
from tests.benchmarks.table import Contender, Table
from tests.benchmarks.tools import require

_NEVER_REACHED = {"READS_PER_SECOND_MAX": "100000", "READS_BURST_MAX": "1000000"}


async def tables(servers: BenchServers, seconds: float) -> list[Table]:
    """One table."""
    require("wrk", "wrk")
    require("taskset", "util-linux")
    documents = {one: reads_http.document(one) for one in (uuid7() for _ in range(reads_http.PRODUCTS))}

    async def unlimited() -> float:
        return await cost_of_reads(servers, documents, seconds, {})

    async def limited() -> float:
        return await cost_of_reads(servers, documents, seconds, _NEVER_REACHED)

    contenders = [Contender("no limit", unlimited), Contender("a limit for each caller", limited)]
    return [Table("Rate limits: GET /v1/products/{id} from Redis", UNIT, contenders, lower_is_better=True)]
