"""The jars of Kafka's broker."""

import os
from pathlib import Path

from deploy.local.maven import Jars
from deploy.local.server import Progress

COORDINATES = "org.apache.kafka:kafka_2.13:4.4.0+org.slf4j:slf4j-simple:1.7.36"
_JARS = Jars(
    "Kafka",
    COORDINATES,
    Path(__file__).with_name("kafka_jars.sha256"),
    48,
    "set KAFKA_BOOTSTRAP_SERVERS to your own broker",
)


def kafka_class_path(progress: Progress) -> str:
    """The class path; downloads and checks it the first time. Raises ProgramMissing."""
    return os.pathsep.join(map(str, _JARS.paths(progress)))
