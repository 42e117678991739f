"""What httpx can post to a receiver: URL, posts, at a time. Each is signed as ours are; nothing is stored."""

import asyncio
import sys
import time
from itertools import count
from uuid import uuid4

import httpx
import uvloop

from projector.webhooks.message import event_message
from shared.webhooks.signatures import new_key, signature_header, signer
from tests.past_events import created, past_events


async def main(url: str, posts: int, at_a_time: int) -> None:
    """One client, so many posts at a time."""
    event, key = past_events(created())[0], new_key("hmac")
    body, signers = event_message(event, uuid4()).body, [signer("hmac", key.key)]
    numbers = count()
    limits = httpx.Limits(max_connections=at_a_time, max_keepalive_connections=at_a_time)
    async with httpx.AsyncClient(limits=limits, timeout=30) as client:

        async def post() -> None:
            while next(numbers) < posts:
                webhook_id, now = str(uuid4()), int(time.time())
                headers = {
                    "content-type": "application/json",
                    "webhook-id": webhook_id,
                    "webhook-timestamp": str(now),
                    "webhook-signature": signature_header(signers, webhook_id, now, body),
                }
                (await client.post(url, content=body, headers=headers)).raise_for_status()

        await asyncio.gather(*(post() for _ in range(at_a_time)))


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
