"""The use case: read products, send them in batches, then see to the SKUs that products hand over.

A few requests are under way at a time. A slug occurs once in a source, so no two operations on one
product ever are. Memory: the products of those requests, whatever the size of the file.
"""

import asyncio
from collections.abc import Callable, Iterable

from command_api.importer.chunks import Chunk, chunks
from command_api.importer.client import BatchClient
from command_api.importer.delivery import Delivery, LineOf, Reject
from command_api.importer.hand_over import HandOver
from command_api.importer.source import Candidate, Rejection
from command_api.importer.spool import Spool
from command_api.importer.summary import Summary

REQUESTS_IN_FLIGHT_MAX = 4


async def import_products(
    source: Iterable[Candidate | Rejection],
    api: BatchClient,
    summary: Summary,
    reject: Reject,
    progress: Callable[[int], object],
    line_of: LineOf = lambda _: None,
) -> None:
    """Loads everything that `source` yields; `progress` is called with the products done since.

    `line_of` gives the line of a slug's product, for refusals. Raises what stops an import (`errors`);
    `summary` then holds what was done until there.
    """
    delivery = Delivery(api, summary, reject, line_of)
    slots = asyncio.Semaphore(REQUESTS_IN_FLIGHT_MAX)
    with Spool() as spool:
        hand_over = HandOver(delivery, spool)

        async def deliver(chunk: Chunk) -> None:
            try:
                delivered = await delivery.send(chunk)
                for candidate, answer in delivered.taken:
                    hand_over.add(candidate, answer)
                progress(len(chunk.candidates))
            finally:
                slots.release()

        try:
            async with asyncio.TaskGroup() as requests:
                for chunk in chunks(source, delivery.refuse):
                    await slots.acquire()
                    requests.create_task(deliver(chunk))
        except ExceptionGroup as failures:
            # The first failure cancelled the rest: it alone is the user's news.
            raise failures.exceptions[0] from None
        await hand_over.finish()
