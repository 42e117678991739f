"""What each process may do on a Kafka broker with an authorizer: the least that it needs.

`docs/kafka-rights.md` is generated from this table, and a test runs the system on a broker with these rights
and no others (`allow.everyone.if.no.acl.found=false`). On Kafka, the rights to read and to write a topic
contain the right to describe it, and the right to write includes idempotent producers.
"""

from typing import NamedTuple

from projector.projections import NAMES, NOTIFICATIONS, PRODUCTS_STATE
from shared.contract.addresses import state_topic, topics

RELAY, PROJECTOR, QUERY_API = "relay", "projector", "query-api"
REPLAY, LAG, RECOVERY = "replay", "lag", "recovery"


class Right(NamedTuple):
    """`resource` is TOPIC, GROUP or TRANSACTIONAL_ID; a name that ends with `*` means all that begin so.

    The name `*` alone is the brokers' own word for all.
    """

    user: str
    operations: tuple[str, ...]
    resource: str
    name: str
    why: str

    @property
    def is_prefix(self) -> bool:
        return self.name.endswith("*") and self.name != "*"

    @property
    def pattern(self) -> str:
        """As a broker takes it: the beginning of the names, or the one name."""
        return self.name.removesuffix("*") if self.is_prefix else self.name


_WRITE_OWN = ("CREATE", "DESCRIBE_CONFIGS", "WRITE")


def kafka_rights(prefix: str = "") -> tuple[Right, ...]:
    """Of an installation with this KAFKA_TOPIC_PREFIX."""
    names = topics(prefix)
    state = state_topic(prefix)
    mails = f"{prefix}{NOTIFICATIONS.name}"
    return (
        *(Right(RELAY, _WRITE_OWN, "TOPIC", name, "publishes the event log") for name in names),
        *(
            Right(RELAY, ("READ",), "TOPIC", name, "measures how long the oldest waiting record waits")
            for name in (*names, state)
        ),
        Right(RELAY, ("DESCRIBE",), "GROUP", "*", "measures the lag of every group, subscribers' too"),
        Right(PROJECTOR, ("READ",), "TOPIC", names.events, "reads the events"),
        *(
            Right(PROJECTOR, ("READ",), "GROUP", f"{prefix}{name}", f"reads them for {name}")
            for name in NAMES
        ),
        Right(PROJECTOR, _WRITE_OWN, "TOPIC", state, "publishes the latest states"),
        Right(
            PROJECTOR,
            ("WRITE",),
            "TRANSACTIONAL_ID",
            f"{prefix}{PRODUCTS_STATE.name}-*",
            "one transactional producer for each partition of it",
        ),
        Right(
            PROJECTOR,
            (*_WRITE_OWN, "READ"),
            "TOPIC",
            f"{names.events}.*",
            "writes dead letters; writes and reads mails that wait for another attempt",
        ),
        Right(PROJECTOR, ("READ",), "GROUP", f"{mails}.retry.*", "reads those mails"),
        Right(QUERY_API, ("READ",), "TOPIC", state, "feeds its search index; without a group"),
        *(
            Right(REPLAY, ("DESCRIBE_CONFIGS", "WRITE"), "TOPIC", name, "publishes again what was published")
            for name in names
        ),
        *(
            Right(
                RECOVERY,
                ("CREATE", "DELETE", "DESCRIBE_CONFIGS", "READ"),
                "TOPIC",
                name,
                "`remake-topics`: deletes and creates, and looks at the first records",
            )
            for name in names
        ),
        Right(RECOVERY, ("DELETE", "DESCRIBE"), "TOPIC", state, "`remake-topics --delete`: deletes it"),
        Right(LAG, ("DESCRIBE",), "TOPIC", names.events, "an autoscaler asks where the topic ends"),
        *(
            Right(LAG, ("DESCRIBE",), "GROUP", f"{prefix}{name}", f"and how far {name} has come")
            for name in NAMES
        ),
    )
