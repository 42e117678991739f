"""Which errors mean that Kafka is away, or has ended a connection: every one that aiokafka can raise for it.

| error                                     | meaning                                               | class  |
|-------------------------------------------|-------------------------------------------------------|--------|
| KafkaError, the root of nearly all:       | connection lost, no node ready, broker busy, leader   | away   |
| KafkaConnectionError, NodeNotReadyError,  | moved, an answer that does not fit its question,      |        |
| CorrelationIdError, ProducerClosed,       | a client that was closed meanwhile                    |        |
| IllegalStateError ...                     |                                                       |        |
| OSError, with TimeoutError                | no route, refused, reset; no answer in time           | away   |
| EOFError                                  | the connection ended in the middle of an answer       | away   |
| AssertionError of aiokafka                | its producer's task has died of an error before       | away   |
| ConsumerStoppedError, IllegalOperation    | a call that our code must not make: no KafkaErrors    | a bug  |
| everything else                           |                                                       | a bug  |

What a broker refuses for good (a record that is too large, a right that is missing) is a KafkaError too. Who
can say so to an operator looks for it first (`command_api/relay`); others wait, and say why they wait.
uvloop's RuntimeError for a connection that has ended becomes a KafkaConnectionError in `connections.py`.
"""

from aiokafka.errors import KafkaError

KAFKA_IS_AWAY = (KafkaError, OSError, EOFError)
"""For `except`. OSError is the root of TimeoutError."""
PRODUCER_HAS_DIED = (*KAFKA_IS_AWAY, AssertionError)
"""For `except`, around calls of a producer: after it has died it says so by an assertion."""
