"""How the client below an aiokafka consumer or producer is closed for certain."""

from aiokafka.client import AIOKafkaClient


async def close_client(client: AIOKafkaClient) -> None:
    """Close it although its metadata task has died: that one may write to a connection that was just closed,
    which uvloop answers with a RuntimeError, and the client's own `close` would end there.
    """
    try:
        await client.close()
    except RuntimeError:
        client._sync_task = None
        await client.close()
