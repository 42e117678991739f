"""The errors of aiokafka that mean that Kafka is unavailable, or has ended a connection.

| error                                    | meaning                                         | class       |
|------------------------------------------|-------------------------------------------------|-------------|
| KafkaError, the root of nearly all:      | connection lost, no node ready, broker busy,    | unavailable |
| KafkaConnectionError, NodeNotReadyError, | leader moved, an answer to another request,     |             |
| CorrelationIdError, ProducerClosed,      | a client that was closed meanwhile              |             |
| IllegalStateError ...                    |                                                 |             |
| OSError, with TimeoutError               | no route, refused, reset; no answer in time     | unavailable |
| EOFError                                 | the connection ended in the middle of an answer | unavailable |
| AssertionError of aiokafka               | an earlier error has ended the producer's task  | unavailable |
| ConsumerStoppedError, IllegalOperation   | a wrong call by our code; not KafkaErrors       | a bug       |
| everything else                          |                                                 | a bug       |

Permanent refusals of a broker (a record that is too large, a missing right) are KafkaErrors, too. Code that
can report them to an operator checks for them first (`command_api/relay`); other code waits, and logs the
reason. uvloop's RuntimeError for a connection that has ended becomes a KafkaConnectionError in
`connections.py`.
"""

from aiokafka.errors import KafkaError

KAFKA_IS_AWAY = (KafkaError, OSError, EOFError)
"""For `except`. OSError is the root of TimeoutError."""
PRODUCER_HAS_DIED = (*KAFKA_IS_AWAY, AssertionError)
"""For `except` around calls of a producer: when its task has died, it raises AssertionError."""
