"""docs/kafka-rights.md: the table of `deploy/kafka_rights.py`, and the commands that grant it."""

import shlex

from deploy.kafka_rights import Right, kafka_rights

_HEAD = """\
<!-- Generated from the code by `make docs`: do not edit. -->
# Rights on Kafka

For those who run the brokers.
What each user may do on a broker with an authorizer
(`authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer`,
`allow.everyone.if.no.acl.found=false`). The user is `KAFKA_SASL_USER`, or the name in the client's
certificate. The names are those without `KAFKA_TOPIC_PREFIX`; a name that ends with `*` means all names
that begin so (`--resource-pattern-type prefixed`), and `*` alone means all.

The command API does not use Kafka and needs no user; nor does the query API with `SEARCH=off`. `replay` is
the user of `python -m command_api replay` for the live topics; for another topic, give it the same rights
there, and CREATE if it uses `--create-topic`. `recovery` is the user of `python -m command_api
remake-topics`, for the day on which Kafka has lost its data; it needs no password before. `lag` is the user
of an autoscaler that scales the projector on its lag. A subscriber needs READ on its topics and on its
consumer group, and nothing else. Nobody needs a right on the cluster.

`tests/integration/test_secured_installation.py` runs the system with these rights alone, and shows that the
projector cannot write events, and that the relay sees the lag of every group and can read as none of them.
"""


def kafka_rights_page() -> str:
    """All of docs/kafka-rights.md."""
    rights = kafka_rights()
    rows = [
        f"| `{one.user}` | {', '.join(one.operations)} | {one.resource} | `{one.name}` | {one.why} |"
        for one in rights
    ]
    commands = [_command(one) for one in rights]
    return "\n".join(
        [
            _HEAD,
            "| user | may | kind | name | why |",
            "|---|---|---|---|---|",
            *rows,
            "",
            "As commands:",
            "",
            "<!-- not run: needs a program that is not installed here -->",
            "",
            "```sh",
            *commands,
            "```",
            "",
        ]
    )


def _command(one: Right) -> str:
    option = {"TOPIC": "--topic", "GROUP": "--group", "TRANSACTIONAL_ID": "--transactional-id"}[one.resource]
    operations = " ".join(f"--operation {operation}" for operation in one.operations)
    pattern = " --resource-pattern-type prefixed" if one.is_prefix else ""
    return (
        'kafka-acls.sh --bootstrap-server "$BROKER" --command-config admin.properties --add '
        f"--allow-principal User:{one.user} {operations} {option} {shlex.quote(one.pattern)}{pattern}"
    )
