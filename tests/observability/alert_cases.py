"""A case for each alert but those on error budgets, which have a test of their own."""

from math import nan

from tests.observability.alert_case import Case, Counter, Gauge, Moment

_PRODUCTS = {"projection": "product_view"}
_COMMAND = 'job="command-api",instance="a:9100"'
_DAY = 86400

_LOG_AND_RELAY = [
    Case(
        "LogPartitionsRunOut",
        [Gauge("event_partitions_ahead", 2, 1, 0)],
        {},
        "0 empty partitions are prepared. When the present one is full, no command can be written.",
        "page",
    ),
    Case(
        "LogPartitionsFew",
        [Gauge("event_partitions_ahead", 2, 2, 1)],
        {},
        "1 empty partitions are prepared; two are usual, and a missing one is made within a minute.",
    ),
    Case(
        "LogFillsUp",  # 1,000 events a second; a rate is over the hour before, and the fault lasts longer.
        [
            Gauge("event_positions_left", 20e6, 15e6, 9e6),
            Counter("events_appended_total", 60_000, 60_000, 60_000),
        ],
        {},
        "At the rate of the last hour they are full in 2h 30m 0s; then no command can be written.",
        "page",
    ),
    Case(
        "RelayMissing",
        [
            Gauge('relay_active{instance="a"}', 1, 0, 0),
            Gauge('relay_active{instance="b"}', 0, 1, None),
        ],
        {},
        "0 relays are active; one must be. Commands are accepted, but no event reaches Kafka or a view.",
        "page",
    ),
    Case(
        "RelayStuck",
        [
            Gauge('relay_lag_seconds{instance="a"}', 0, 29, 45),
            Gauge('relay_lag_seconds{instance="b"}', 0, 0, 0),
        ],
        {},
        "The oldest event that Kafka has not confirmed is 45s old; 30 s are allowed.",
        "page",
    ),
]  # fmt: skip

_PROJECTIONS = [
    Case(
        "ProjectionStopped",
        [Gauge('projection_stopped{projection="product_view"}', 0, 0, 1)],
        _PRODUCTS,
        "product_view has stopped, or 1 of its partitions. It does not go on by itself.",
        "page",
    ),
    Case(
        "ProjectionStopped",
        [
            Gauge('projection_stopped{projection="inventory"}', 0, 0, 0),
            Gauge('projection_partitions_stopped{projection="inventory"}', 0, 0, 3),
        ],
        {"projection": "inventory"},
        "inventory has stopped, or 3 of its partitions. It does not go on by itself.",
        "page",
    ),
    Case(
        "ProjectionBreakerOpen",
        [Gauge('projection_breaker_open{projection="product_view"}', 0, 0, 1)],
        _PRODUCTS,
        "product_view waits and parks no more products, because too many fail.",
        "page",
    ),
    Case(
        "ProjectionLate",
        [
            Gauge('projection_lag_seconds{projection="product_view",partition="1"}', 0, 59, 90),
            Gauge('projection_paused{projection="product_view"}', 0, 0, 0),
        ],
        _PRODUCTS,
        "The oldest event that waits for product_view is 1m 30s old; 60 s are allowed.",
        "page",
    ),
    Case(
        "ProjectionLate",
        [
            Gauge('projection_lag_seconds{projection="inventory",partition="1"}', 0, 3600, 90),
            Gauge('projection_paused{projection="inventory"}', 0, 1, 0),
        ],
        {"projection": "inventory"},
        "The oldest event that waits for inventory is 1m 30s old; 60 s are allowed.",
        "page",
    ),
    Case(
        "ProjectionLate",  # Redis is away: a ticket. It is back, and the cache is late: a page.
        [
            Gauge('projection_lag_seconds{projection="product_cache",partition="1"}', 0, 3600, 90),
            Gauge('projection_waits_for_redis{projection="product_cache"}', 0, 1, 0),
            Counter('cache_requests_total{job="query-api",result="hit"}', 100, 0, 100),
        ],
        {"projection": "product_cache"},
        "The oldest event that waits for product_cache is 1m 30s old; 60 s are allowed.",
        "page",
    ),
    Case(
        "ProjectionLate",  # The projector does not reach Redis, but readers do: they get old documents.
        [
            Gauge('projection_lag_seconds{projection="product_cache",partition="1"}', 0, 3600, 90),
            Gauge('projection_waits_for_redis{projection="product_cache"}', 0, 1, 1),
            Counter('cache_requests_total{job="query-api",result="hit"}', 100, 0, 1),
        ],
        {"projection": "product_cache"},
        "The oldest event that waits for product_cache is 1m 30s old; 60 s are allowed.",
        "page",
    ),
    Case(
        "ProjectionLate",  # Redis is away, but this one does not wait for it.
        [
            Gauge('projection_lag_seconds{projection="inventory",partition="1"}', 0, 59, 90),
            Gauge('projection_waits_for_redis{projection="inventory"}', 0, 0, 0),
            Gauge('projection_waits_for_redis{projection="product_cache"}', 0, 1, 1),
        ],
        {"projection": "inventory"},
        "The oldest event that waits for inventory is 1m 30s old; 60 s are allowed.",
        "page",
    ),
    Case(
        "ProjectionPaused",
        [Gauge('projection_paused{projection="product_view"}', 0, 1, 1)],
        _PRODUCTS,
        "An operator paused product_view and may have forgotten it. Its view shows old data.",
        minutes=(30, 59, 30, 60),
    ),
    Case(
        "ProjectionRetries",
        [Counter('projection_errors_total{projection="product_view",error_class="transient"}', 0, 1, 4)],
        _PRODUCTS,
        "product_view fails 4.0 times a minute with a transient error, and tries again.",
    ),
    Case(
        "ProjectionRetries",
        [
            Counter('projection_errors_total{projection="product_cache",error_class="transient"}', 0, 40, 4),
            Gauge('projection_waits_for_redis{projection="product_cache"}', 0, 1, 0),
        ],
        {"projection": "product_cache"},
        "product_cache fails 4.0 times a minute with a transient error, and tries again.",
    ),
    Case(
        "ConsumerGroupLate",
        [
            Gauge('consumer_group_oldest_waiting_seconds{group="product_cache",topic="t"}', 0, 3600, 200),
            Gauge('projection_waits_for_redis{projection="product_cache"}', 0, 1, 0),
            Gauge('up{job="projector"}', 1, 1, 1),
        ],
        {"group": "product_cache", "topic": "t"},
        "The broker says: product_cache has not committed an event of t that is 3m 20s old; "
        "2 minutes are allowed.",
        "page",
    ),
    Case(
        "ConsumerGroupLate",
        [
            Gauge(
                'consumer_group_oldest_waiting_seconds{group="search",topic="products-events"}', 0, 110, 200
            ),
            Gauge('up{job="projector"}', 1, 1, 1),
        ],
        {"group": "search", "topic": "products-events"},
        "The broker says: search has not committed an event of products-events that is 3m 20s old; "
        "2 minutes are allowed.",
        "page",
    ),
    Case(
        "ConsumerGroupLate",
        [
            Gauge(
                'consumer_group_oldest_waiting_seconds{group="search",topic="products-events"}', 0, 3600, 200
            ),
            Gauge('up{job="projector",instance="a"}', 1, 0, 1),
            Gauge('up{job="projector",instance="b"}', 1, 0, 0),
        ],
        {"group": "search", "topic": "products-events"},
        "The broker says: search has not committed an event of products-events that is 3m 20s old; "
        "2 minutes are allowed.",
        "page",
    ),
    Case(
        "ConsumerGroupEmpty",
        [
            Gauge('consumer_group_members{group="product_view"}', 1, 0, 0),
            Gauge('consumer_group_lag_events{group="product_view",topic="products-events"}', 0, 0, 5),
            Gauge('up{job="projector"}', 1, 1, 1),
        ],
        {"group": "product_view"},
        "Events wait, and the broker says: product_view has no members. "
        "Its process is dead, or not connected.",
        "page",
    ),
    Case(
        "ConsumerGroupEmpty",
        [
            Gauge('consumer_group_members{group="search"}', 1, 0, 0),
            Gauge('consumer_group_lag_events{group="search",topic="products-events"}', 0, 5, 5),
            Gauge('up{job="projector",instance="a"}', 1, 0, 1),
            Gauge('up{job="projector",instance="b"}', 1, 0, 0),
        ],
        {"group": "search"},
        "Events wait, and the broker says: search has no members. Its process is dead, or not connected.",
        "page",
    ),
    Case(
        "ConsumerGroupsUnseen",
        [
            Gauge('consumer_group_lag_events{group="product_view",topic="products-events"}', 0, None, None),
            Gauge("relay_position", 5, 0, 5),
            Gauge('up{job="projector"}', 1, 1, 1),
        ],
        {},
        "There are events and a projector, and no lag of any group. "
        "Alerts and autoscalers that ask for it see nothing.",
    ),
    Case(
        "StatesLate",
        [Gauge("states_waiting_oldest_seconds", 0, 59, 70)],
        {},
        "The oldest state that is not in products-state is 1m 10s old; 60 s are allowed.",
    ),
    Case(
        "SearchIndexBehind",
        [Gauge('search_index_behind_seconds{instance="a:9101"}', 0, 59, 70)],
        {"instance": "a:9101"},
        "It last had all states 1m 10s ago; 60 s are allowed. Searches there show old products.",
    ),
    Case(
        "RebuildStuck",
        [
            Gauge('rebuild_running{projection="product_view"}', 0, 1, 1),
            Gauge('rebuild_changed_seconds{projection="product_view"}', 0, 590, 660),
        ],
        _PRODUCTS,
        "It has not stored its progress for 11m 0s. Its process may be dead.",
    ),
    Case(
        "ProductsParked",
        [Gauge('projection_dead_letters{projection="product_view"}', 0, 0, 2)],
        _PRODUCTS,
        "product_view keeps 2 dead letters. Their products are shown as they were before.",
    ),
    Case(
        "DeadLettersGrow",
        [Gauge('projection_dead_letters{projection="product_view"}', 5, 20, 45)],
        _PRODUCTS,
        "25 dead letters came in the last 30 minutes; up to 20 are no reason to call anybody.",
        "page",
        minutes=(60, 60, 20, 60),
    ),
]

_SINCE = 'view_unverified_since_timestamp_seconds{projection="product_view",instance="%s"}'
_CORRECTNESS = [
    Case(
        "ViewDiffers",
        [
            Gauge('view_verification_differences{projection="product_view",instance="a"}', 0, 0, 3),
            Gauge('view_verification_differences{projection="product_view",instance="b"}', 0, None, 3),
        ],
        _PRODUCTS,
        "`verify` found 3 differences in product_view. Readers get wrong data.",
        "page",
    ),
    Case(
        "ViewDiffers",  # A view that was never verified has no number: NaN is neither good nor bad.
        [Gauge('view_verification_differences{projection="inventory"}', nan, nan, 1)],
        {"projection": "inventory"},
        "`verify` found 1 differences in inventory. Readers get wrong data.",
        "page",
    ),
    Case(
        "VerificationOld",
        [Moment(_SINCE % "a", -3600, -29.9 * 3600, -31 * 3600)],
        _PRODUCTS,
        "No `verify` of the whole of product_view has ended for 1d 7h 0m 0s, or ever; 30 hours are allowed.",
    ),
]

_MAILS = [
    Case(
        "MailsFail",
        [
            Counter('notifications_total{kind="digest",outcome="unreachable"}', 0, 0.2, 2),
            Counter('notifications_total{kind="digest",outcome="sent"}', 9, 9, 0),
        ],
        {},
        "2.0 attempts a minute fail.",
    ),
    Case(
        "MailOutcomeUnknown",
        [Counter('notifications_total{kind="digest",outcome="unknown"}', 0, 0, 1)],
        {},
        "60 mails of the last hour may have been sent, or not. An operator must decide.",
        minutes=(70, 70, 70, 120),
    ),
    Case(
        "DigestsLate",
        [Gauge("notifications_waiting_oldest_seconds", 0, 590, 720)],
        {},
        "The oldest event that waits for a digest is 12m 0s old; 10 minutes are allowed.",
    ),
    Case(
        "WebhookEndpointDisabled",
        [Gauge("webhook_endpoints_disabled", 0, 0, 2)],
        {},
        "2 webhook endpoints were disabled, because their receivers take nothing.",
    ),
    Case(
        "WebhooksLate",
        [
            Gauge("webhook_messages_waiting_oldest_seconds", 0, 590, 720),
            Gauge("webhook_products_failing", 0, 0, 0),
        ],
        {},
        "The oldest message to a webhook endpoint has waited for 12m 0s, and no receiver fails.",
    ),
    Case(
        # A process without webhooks tells NaN, and one that is away from the log does no harm beside another.
        "WebhooksReadLate",
        [
            Gauge('webhook_read_lag_seconds{instance="a:9102"}', 0, 55, 90),
            Gauge('webhook_read_lag_seconds{instance="b:9102"}', 0, 900, 900),
            Gauge('webhook_read_lag_seconds{instance="c:9102"}', nan, nan, nan),
            Gauge("webhook_endpoints", 1, 1, 1),
            Gauge('projection_paused{projection="webhooks"}', 0, 0, 0),
        ],
        {},
        "The reading of the log for webhooks is 1m 30s behind; 60 s are allowed.",
    ),
    Case(
        "WebhooksReadLate",
        [
            Gauge("webhook_read_lag_seconds", 0, 90, 90),
            Gauge("webhook_endpoints", 0, 0, 2),
            Gauge('projection_paused{projection="webhooks"}', 0, 0, 0),
        ],
        {},
        "The reading of the log for webhooks is 1m 30s behind; 60 s are allowed.",
    ),
    Case(
        "WebhooksReadLate",
        [
            Gauge("webhook_read_lag_seconds", 0, 90, 90),
            Gauge("webhook_endpoints", 1, 1, 1),
            Gauge('projection_paused{projection="webhooks"}', 0, 1, 0),
        ],
        {},
        "The reading of the log for webhooks is 1m 30s behind; 60 s are allowed.",
    ),
]

_PROCESSES = [
    Case(
        "NoScrape",
        [Gauge('up{job="relay",instance="a:9103"}', 1, 1, 0)],
        {"job": "relay", "instance": "a:9103"},
        "Prometheus gets no metrics from relay at a:9103. It is dead, or hangs.",
        "page",
    ),
    Case(
        "ProcessMissing",
        [
            Gauge('up{job="command-api"}', 1, 0, 1),
            Gauge('up{job="query-api"}', 1, 0, 1),
            Gauge('up{job="projector"}', 1, 0, None),
            Gauge('up{job="relay"}', 1, 0, 1),
        ],
        {"job": "projector"},
        "Prometheus has no address of a projector from which it could get metrics.",
        "page",
    ),
    Case(
        "EventLoopBlocked",
        [Gauge(f"event_loop_lag_seconds{{{_COMMAND}}}", 0.01, 0.4, 0.8)],
        {"job": "command-api", "instance": "a:9100"},
        "A timer on its event loop was 800ms late; 500 ms are allowed.",
    ),
    Case(
        "UpkeepFails",
        [
            Moment(
                'upkeep_last_success_timestamp_seconds{job="relay",instance="a",upkeep="log partitions"}',
                -10, -590, -1200,
            )
        ],
        {"job": "relay", "instance": "a", "upkeep": "log partitions"},
        'The repeated work "log partitions" last succeeded 20m 0s ago. The process tries again.',
    ),
    Case(
        "MeasurementOld",
        [Moment('measured_timestamp_seconds{job="relay",measurement="consumer groups"}', -10, -290, -900)],
        {"job": "relay", "measurement": "consumer groups"},
        'The measurement "consumer groups" last succeeded 15m 0s ago. Alerts on its metrics may be missing.',
    ),
    Case(
        "ReadinessCheckFails",
        [Gauge('readiness_check_ok{job="relay",instance="a:9103",check="event store"}', 1, 1, 0)],
        {"job": "relay", "instance": "a:9103", "check": "event store"},
        'The check "event store" of /readyz has failed for 5 minutes. What needs it is refused or waits; '
        "/readyz says why.",
    ),
    Case(
        "ErrorsLogged",
        [
            Counter('log_lines_total{job="relay",level="warning",source="process"}', 9, 9, 9),
            Counter('log_lines_total{job="relay",level="error",source="process"}', 0, 0, 3),
            Counter('log_lines_total{job="relay",level="error",source="kafka_client"}', 3, 3, 3),
            Counter('log_lines_total{job="relay",level="critical",source="process"}', 0, 0, 1),
        ],
        {"job": "relay"},
        "60 lines of level error or critical in the last 15 minutes.",
    ),
    Case(
        "LogLinesLost",
        [Counter('log_lines_lost_total{job="relay",instance="a:9103"}', 0, 0, 4)],
        {"job": "relay"},
        "60 lines were lost in the last 15 minutes.",
    ),
    Case(
        "SpansLost",
        [
            Counter('trace_spans_total{job="relay",result="dropped"}', 0, 4, 10),
            Counter('trace_spans_total{job="relay",result="failed"}', 0, 0, 10),
            Counter('trace_spans_total{job="relay",result="exported"}', 100, 96, 80),
        ],
        {"job": "relay"},
        "20% of its spans do not reach the receiver; 5 % are allowed.",
    ),
    Case(
        "ClockSkew",
        [Gauge('clock_skew_seconds{job="relay",database="event store"}', 0.01, -0.4, -3)],
        {"job": "relay", "database": "event store"},
        "They differ by 3s. Lags and ages are wrong by as much.",
    ),
    Case(
        "CertificateExpires",
        [
            Moment(
                'certificate_expiry_timestamp_seconds{job="relay",file="/tls/ca.pem",instance="a"}',
                90 * _DAY, 15 * _DAY, 13 * _DAY,
            )
        ],
        {"job": "relay", "file": "/tls/ca.pem"},
        "/tls/ca.pem of relay expires in 13d 0h 0m 0s.",
        minutes=(30, 60, 150, 30),
    ),
    Case(
        "CertificateExpiresNow",
        [
            Moment(
                'certificate_expiry_timestamp_seconds{job="relay",file="/tls/ca.pem",instance="a"}',
                90 * _DAY, 3 * _DAY, 1.5 * _DAY,
            )
        ],
        {"job": "relay", "file": "/tls/ca.pem"},
        "/tls/ca.pem of relay expires in 1d 12h 0m 0s.",
        "page",
    ),
]  # fmt: skip

_COMMANDS_AND_READS = [
    Case(
        "RequestsShed",
        [Counter(f"http_server_requests_shed_total{{{_COMMAND}}}", 0, 50, 300)],
        {"job": "command-api"},
        "It refuses 5.0 requests a second with 503; an operation of a batch counts as one.",
        "page",
    ),
    Case(
        "RateLimitSurge",
        [Counter(f'http_server_request_duration_seconds_count{{{_COMMAND},status="429"}}', 0, 240, 600)],
        {"job": "command-api"},
        "It answers 10.0 requests a second with 429.",
    ),
    Case(
        "OutcomesUnknown",
        [
            Counter('commands_total{command="create",result="unknown"}', 0, 0, 2),
            Counter('commands_total{command="create",result="appended"}', 9, 9, 9),
        ],
        {},
        "30 commands of the last 15 minutes: the connection to the event store was lost.",
    ),
    Case(
        "CommandsFail",
        [
            Counter('commands_total{command="create",result="failed"}', 0, 0, 2),
            Counter('commands_total{command="create",result="refused"}', 0, 9, 0),
        ],
        {"command": "create"},
        "30 commands of the kind create failed in the last 15 minutes.",
    ),
    Case(
        "ConflictsSurge",
        [
            Counter('commands_total{command="create",result="conflict"}', 0, 20, 50),
            Counter('commands_total{command="create",result="appended"}', 100, 80, 50),
        ],
        {},
        "50% of all commands; 30 % are allowed.",
    ),
    Case(
        "PoolSaturated",
        [Gauge(f'db_pool_waiting{{{_COMMAND},pool="command-api read"}}', 0, 0.5, 4)],
        {"job": "command-api", "instance": "a:9100", "pool": "command-api read"},
        'Callers wait for a connection of "command-api read", or give up, or soon will.',
    ),
    Case(
        "PoolSaturated",
        [Counter(f'db_pool_acquire_failures_total{{{_COMMAND},pool="command-api read"}}', 0, 0, 2)],
        {"job": "command-api", "instance": "a:9100", "pool": "command-api read"},
        'Callers wait for a connection of "command-api read", or give up, or soon will.',
    ),
    Case(
        "PoolSaturated",
        [
            Gauge('db_pool_in_use{job="query-api",pool="query-api-lists"}', 1, 7, 8),
            Gauge('db_pool_size_max{job="query-api",pool="query-api-lists"}', 9, 9, 9),
        ],
        {"job": "query-api", "pool": "query-api-lists"},
        'Callers wait for a connection of "query-api-lists", or give up, or soon will.',
    ),
    Case(
        "TableReadsRefused",
        [Counter('table_reads_refused_total{job="query-api"}', 0, 3, 120)],
        {"job": "query-api"},
        "2.0 reads a second are answered 503 by the query-api.",
        "page",
    ),
    Case(
        "CacheDown",
        [
            Counter('cache_requests_total{job="query-api",result="hit"}', 100, 90, 10),
            Counter('cache_requests_total{job="query-api",result="bypass"}', 0, 10, 90),
        ],
        {"job": "query-api"},
        "Readers get the same answers from PostgreSQL, slower.",
    ),
    Case(
        "CacheDown",
        [Gauge('cache_breaker_open{job="query-api",instance="a:9101"}', 0, 0, 1)],
        {"job": "query-api"},
        "Readers get the same answers from PostgreSQL, slower.",
    ),
    Case(
        "CacheDown",  # Nobody reads, so only the projector notices.
        [Gauge('projection_waits_for_redis{job="projector",projection="product_cache"}', 0, 0, 1)],
        {"job": "projector"},
        "Readers get the same answers from PostgreSQL, slower.",
    ),
    Case(
        "RedisLostWrites",
        [
            Counter('cache_started_anew_total{instance="a",reason="older"}', 0, 0, 1),
            Counter('cache_started_anew_total{instance="a",reason="empty"}', 0, 1, 0),
        ],
        {},
        "The cache was started anew. Readers get all documents from PostgreSQL, and fill it again.",
    ),
    Case(
        "RedisLostWrites",  # A projector has noticed it at its start.
        [
            Gauge('cache_started_anew_total{instance="a",reason="older"}', 0, 0, None),
            Gauge('cache_started_anew_total{instance="b",reason="older"}', None, None, 1),
        ],
        {},
        "The cache was started anew. Readers get all documents from PostgreSQL, and fill it again.",
        minutes=(30, 60, 10, 120),
    ),
]

_KEYS = (
    "{} has no new keys for half an hour, or refuses callers already because of it. "
    "Once the keys that it has are too old, it lets nobody in."
)
_ACCESS = [
    Case(
        "IssuerKeysMissing",
        [
            Counter(f'access_key_fetches_total{{{_COMMAND},result="fetched"}}', 0.2, 0.2, 0),
            Counter(f'access_key_fetches_total{{{_COMMAND},result="failed"}}', 0, 2, 6),
        ],
        {"job": "command-api", "instance": "a:9100"},
        _KEYS.format("a:9100"),
        "page",
    ),
    Case(
        "IssuerKeysMissing",
        [
            Counter(f'access_key_fetches_total{{{_COMMAND},result="fetched"}}', 1, 1, 1),
            Counter(f'access_refusals_total{{{_COMMAND},reason="keys-unavailable"}}', 0, 0, 1),
            Counter(f'access_refusals_total{{{_COMMAND},reason="token-required"}}', 1, 5, 1),
        ],
        {"job": "command-api", "instance": "a:9100"},
        _KEYS.format("a:9100"),
        "page",
    ),
    Case(
        "TokensRefused",
        [
            Counter(f'access_refusals_total{{{_COMMAND},reason="invalid-token"}}', 1, 25, 40),
            Counter(f'access_refusals_total{{{_COMMAND},reason="insufficient-scope"}}', 1, 25, 20),
            Counter(f"http_server_request_duration_seconds_count{{{_COMMAND}}}", 100, 100, 100),
        ],
        {"job": "command-api", "reason": "invalid-token"},
        "40% of its requests are refused with this code; 30 % are allowed.",
        "page",
    ),
]
_POD = 'container="projector",pod="projector-1"'
_DISK = 'instance="db",mountpoint="/data",fstype="ext4"'
_UNDER_REPLICATED = "kafka_topic_partition_under_replicated_partition"
_INFRASTRUCTURE = [
    Case(
        "DiskFillsUp",
        [
            Gauge(f"node_filesystem_avail_bytes{{{_DISK}}}", 60, 16, 12),
            Gauge(f"node_filesystem_size_bytes{{{_DISK}}}", 100, 100, 100),
        ],
        {"instance": "db", "mountpoint": "/data", "fstype": "ext4"},
        "/data has 12% left; 15 % is the limit.",
        "page",
    ),
    Case(
        "ReplicationLate",
        [Gauge('pg_replication_lag_seconds{instance="replica"}', 0, 25, 40)],
        {"instance": "replica"},
        "It is 40s behind its primary; 30 s are allowed.",
    ),
    Case(
        "ArchivingFails",
        [Counter('pg_stat_archiver_failed_count{instance="db"}', 0, 0, 1)],
        {"instance": "db"},
        "15 attempts failed in 15 minutes. The disk fills up, and backups get older.",
        "page",
    ),
    Case(
        "BackupOld",
        [
            Moment(
                'cnpg_collector_last_available_backup_timestamp{namespace="shop"}',
                -3600, -25 * 3600, -30 * 3600,
            )
        ],
        {"namespace": "shop"},
        "It was made 1d 6h 0m 0s ago; 26 hours are allowed.",
        "page",
    ),
    Case(
        "KafkaUnderReplicated",
        [
            Gauge(f'{_UNDER_REPLICATED}{{topic="products-events",partition="1"}}', 0, 0, 1),
            Gauge(f'{_UNDER_REPLICATED}{{topic="products-events",partition="2"}}', 0, 0, 1),
        ],
        {"topic": "products-events"},
        "2 of its partitions are missing a replica. One more broker lost may stop writes.",
        "page",
    ),
    Case(
        "RedisEvicts",
        [Counter('redis_evicted_keys_total{instance="redis"}', 0, 300, 1200)],
        {"instance": "redis"},
        "It drops 20 keys a second, to make room.",
    ),
    Case(
        "PodRestarts",
        [Counter(f"kube_pod_container_status_restarts_total{{{_POD}}}", 0, 0.05, 0.2)],
        {"container": "projector", "pod": "projector-1"},
        "projector-1 was started again 6 times in 30 minutes.",
    ),
    Case(
        "PodThrottled",
        [
            Counter(f"container_cpu_cfs_throttled_periods_total{{{_POD}}}", 0, 100, 300),
            Counter(f"container_cpu_cfs_periods_total{{{_POD}}}", 600, 600, 600),
        ],
        {"container": "projector", "pod": "projector-1"},
        "projector-1 is held back in 50% of all periods; 25 % are allowed.",
    ),
]  # fmt: skip

CASES = [
    *_LOG_AND_RELAY, *_PROJECTIONS, *_CORRECTNESS, *_MAILS, *_PROCESSES, *_COMMANDS_AND_READS, *_ACCESS,
    *_INFRASTRUCTURE,
]  # fmt: skip
