"""The relay's aiokafka producer; `shared/kafka/producers.py` closes it."""

from aiokafka import AIOKafkaProducer

from shared.kafka.producers import BATCH_BYTES_MAX, REQUEST_BYTES_MAX
from shared.kafka.servers import KafkaServers

_REQUEST_SECONDS_MAX = 8.0
_RETRY_SECONDS = 0.1


def create_producer(servers: KafkaServers, client_id: str) -> AIOKafkaProducer:
    """Idempotent, acknowledged by all in-sync replicas, and without linger, because a chunk is a batch
    already.
    """
    return AIOKafkaProducer(
        **servers.arguments(),
        client_id=client_id,
        acks="all",
        enable_idempotence=True,
        linger_ms=0,
        max_batch_size=BATCH_BYTES_MAX,
        max_request_size=REQUEST_BYTES_MAX,
        request_timeout_ms=int(_REQUEST_SECONDS_MAX * 1000),
        retry_backoff_ms=int(_RETRY_SECONDS * 1000),
    )
