"""Kafka and Redis: first as our processes see them, then as their exporters do."""

from deploy.grafana.board import WINDOW, Board, Panel, Query, Row, quantiles, rate_by

KAFKA = Board(
    "kafka",
    "Catalogue: Kafka",
    "**Is Kafka the cause?** First what the relay and the projector see. Then what the brokers say; that "
    "row needs the kafka_exporter.",
    [
        Row(
            "As our processes see it",
            [
                Panel(
                    "Records a second by topic",
                    "ops",
                    "Confirmed by the broker.",
                    "RelayStuck",
                    [rate_by("topic", "kafka_publish_total")],
                ),
                Panel(
                    "Records a second by result",
                    "ops",
                    "`failed` are sent again; nothing is lost.",
                    "RelayStuck",
                    [rate_by("result", "kafka_publish_total")],
                ),
                Panel(
                    "From commit to confirmation",
                    "s",
                    "The objective: 99 % within 1 s.",
                    "ErrorBudgetBurns-delivery",
                    quantiles("relay_delivery_seconds"),
                ),
                Panel(
                    "Members of consumer groups",
                    "short",
                    "0: nobody reads for it.",
                    "ConsumerGroupEmpty",
                    [Query("min by (group) (consumer_group_members)", "{{group}}")],
                ),
                Panel(
                    "Records not committed",
                    "short",
                    "As the broker says, so it is true even if the consumer is dead.",
                    "ConsumerGroupLate",
                    [Query("sum by (group) (consumer_group_lag_events)", "{{group}}")],
                ),
                Panel(
                    "Takeovers of partitions of products-state",
                    "short",
                    "In 10 minutes. A few at a rebalance are usual.",
                    "StatesLate",
                    [Query("sum(increase(states_fenced_total[10m]))", "takeovers")],
                ),
                Panel(
                    "Consumer groups that are not shown",
                    "short",
                    "Above 0 a late group may go unseen: raise CONSUMER_GROUPS_MAX.",
                    "ConsumerGroupLate",
                    [Query("max(consumer_groups_left_out)", "groups")],
                ),
            ],
        ),
        Row(
            "As the brokers say (kafka_exporter)",
            [
                Panel(
                    "Brokers",
                    "short",
                    "Fewer than usual: one is down.",
                    "KafkaUnderReplicated",
                    [Query("kafka_brokers", "brokers")],
                ),
                Panel(
                    "Partitions with too few copies",
                    "short",
                    "0 is usual.",
                    "KafkaUnderReplicated",
                    [Query("sum by (topic) (kafka_topic_partition_under_replicated_partition)", "{{topic}}")],
                ),
                Panel(
                    "Records a second into topics",
                    "ops",
                    "From all producers.",
                    "RelayStuck",
                    [rate_by("topic", "kafka_topic_partition_current_offset")],
                ),
            ],
        ),
    ],
)

REDIS = Board(
    "redis",
    "Catalogue: Redis",
    "**Is Redis the cause?** First what the query API and the projector see. Then what the server says; "
    "that row needs the redis_exporter. "
    "Redis is only a cache: without it reads are slower, and nothing is lost.",
    [
        Row(
            "As our processes see it",
            [
                Panel(
                    "Reads a second by result",
                    "ops",
                    "`bypass`: Redis did not answer.",
                    "CacheDown",
                    [rate_by("result", "cache_requests_total")],
                ),
                Panel(
                    "Redis is not asked",
                    "bool",
                    "1: it failed several times in a row.",
                    "CacheDown",
                    [Query("max by (instance) (cache_breaker_open)", "{{instance}}")],
                ),
                Panel(
                    "The projector waits for Redis",
                    "bool",
                    "1: product_cache does not reach it. With hits beside it, readers get old documents.",
                    "CacheDown",
                    [Query("max by (projection) (projection_waits_for_redis)", "{{projection}}")],
                ),
                Panel(
                    "Lag of product_cache",
                    "s",
                    "The projection that writes the documents.",
                    "ProjectionRetries",
                    [Query('max(projection_lag_seconds{projection="product_cache"})', "oldest")],
                ),
            ],
        ),
        Row(
            "As the server says (redis_exporter)",
            [
                Panel(
                    "Memory",
                    "bytes",
                    "At its maximum Redis drops documents.",
                    "RedisEvicts",
                    [
                        Query("redis_memory_used_bytes", "{{instance}} used"),
                        Query("redis_memory_max_bytes", "{{instance}} maximum"),
                    ],
                ),
                Panel(
                    "Documents dropped a second",
                    "ops",
                    "To make room. A few are usual in a full cache.",
                    "RedisEvicts",
                    [Query(f"rate(redis_evicted_keys_total[{WINDOW}])", "{{instance}}")],
                ),
                Panel(
                    "Commands a second",
                    "ops",
                    "All clients.",
                    "CacheDown",
                    [Query(f"rate(redis_commands_processed_total[{WINDOW}])", "{{instance}}")],
                ),
            ],
        ),
    ],
)
