"""The policies of components: of each on the base, of several together, and of production."""

from tests.deploy import (
    edge_rules,
    monitoring_rules,
    operator_rules,
    secret_rules,
    server_rules,
    workload_rules,
)
from tests.deploy.rules import Rule

RULES: list[Rule] = [
    workload_rules.schema,
    edge_rules.namespace,
    edge_rules.certificates,
    edge_rules.read_url,
    edge_rules.no_plain_http,
    edge_rules.only_the_apis,
    server_rules.databases,
    server_rules.backups,
    server_rules.poolers,
    server_rules.topics,
    server_rules.kafka_users,
    server_rules.lag_of_kafka,
    server_rules.cache,
    server_rules.server_pods,
    server_rules.policies,
    operator_rules.memory,
    operator_rules.priority,
    secret_rules.external_secrets,
    monitoring_rules.jobs,
    monitoring_rules.renamed_metrics,
    monitoring_rules.rules,
    monitoring_rules.boards,
    monitoring_rules.sizes,
]
