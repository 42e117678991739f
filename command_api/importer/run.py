"""The use case: read products, send them in batches, then load the products that wait for SKUs.

A few requests are in flight at a time. A slug occurs once in a source, so there are never two operations on
one product in flight. Memory holds the products of these requests, whatever the size of the file.
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
    """Loads everything that `source` yields; `progress` gets the number of products done since its last call.

    `line_of` gives the line of a slug's product, for the reasons of rejections. Raises the errors that stop
    an import (`errors`); `summary` then has the counts up to that point.
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
            # The first failure cancelled the other requests: the user needs only this one.
            raise failures.exceptions[0] from None
        await hand_over.finish()
