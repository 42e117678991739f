"""Every client of a server is made where TLS and log-ins are: none can be forgotten."""

import ast
from collections.abc import Iterator

from tests.architecture.source_files import ROOT

PACKAGES = ("command_api", "query_api", "projector", "shared")
# What makes a connection -> the one module that may call it, or the argument that must be given.
ONE_PLACE = {
    "asyncpg.connect": "shared/postgres/pool.py",
    "asyncpg.create_pool": "shared/postgres/pool.py",
    "BlockingConnectionPool": "shared/redis/client.py",
    "ConnectionPool": "shared/redis/client.py",
    "Redis.from_url": "shared/redis/client.py",
    "Redis": "shared/redis/client.py",
    "ssl.create_default_context": "shared/ops/tls.py",
    "SMTP": "projector/notifications/smtp/mailer.py",
}
KAFKA_CLIENTS = ("AIOKafkaProducer", "AIOKafkaConsumer", "AIOKafkaAdminClient")


def calls() -> Iterator[tuple[str, ast.Call]]:
    for package in PACKAGES:
        for module in sorted((ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(module.read_text())):
                if isinstance(node, ast.Call):
                    yield module.relative_to(ROOT).as_posix(), node


def test_connections_are_made_in_one_place_each() -> None:
    found = {(ast.unparse(call.func), module) for module, call in calls()}
    strays = [(name, module) for name, module in found if ONE_PLACE.get(name, module) != module]
    assert strays == []
    assert ("asyncpg.connect", "shared/postgres/pool.py") in found, "this test looks for something else"


def test_every_kafka_client_gets_the_arguments_of_its_servers() -> None:
    made = [(module, call) for module, call in calls() if ast.unparse(call.func) in KAFKA_CLIENTS]
    strays = [
        module
        for module, call in made
        if not any(
            given.arg is None and ast.unparse(given.value).endswith("ervers.arguments()")
            for given in call.keywords
        )
    ]
    assert strays == []
    assert len(made) >= 6, "this test looks for something else"
