"""The names of spans and attributes, only here: OpenTelemetry's conventions for Kafka still change.

A name with a dot is OpenTelemetry's (semantic conventions 1.37), unless it begins with `catalogue.`.
No attribute holds a person, a secret, or a text of unlimited length.
"""

# Spans of commands, in the order in which they begin.
EXECUTE = "execute command"
LOAD = "load stream"
WAIT_FOR_APPEND = "wait for append"
APPEND = "append"
APPEND_CALL = "append call"

# Spans of the way to the views. `PROCESS` and `WRITE` are followed by the projection's name.
PUBLISH = "publish"
PUBLISH_CHUNK = "publish chunk"
PROCESS = "process"
PROCESS_BATCH = "process batch"
WRITE = "write"
PARK = "park"
GATHER = "gather for digests"
NOTIFY = "notify"
SEND_MAIL = "send mail"
SEND_DIGEST = "send digest"
PUBLISH_STATE = "publish state"
PUBLISH_STATES = "publish states"

# Spans of operators' work.
RETRY = "retry"
REBUILD = "rebuild"
LOAD_SLICES = "load"
LOAD_SLICE = "load slice"
INDEX = "index"
CATCH_UP = "catch up"
COMPARE = "compare"
SWITCH = "switch"

# Waits of more than a moment (`waits.py`). `WAIT_FOR` is followed by the projection's name.
WAIT_FOR = "wait for"
WAIT_FOR_CONNECTION = "wait for connection"
WAIT_FOR_KEY = "wait for idempotency key"
WAIT_FOR_PRODUCT = "wait for product"
WAIT_FOR_READS = "wait for other reads"
WAIT_FOR_RELAY = "wait for relay"
WAIT_FOR_STATES = "wait for products-state"

# Spans of reads.
WAIT_FOR_WRITE = "wait for write"
READ_CACHE = "read cache"
READ_TABLE = "read table"

# Events in spans.
VERSION_CONFLICT = "version conflict"
SLUG_TAKEN = "slug taken"

# OpenTelemetry's attributes.
ERROR_TYPE = "error.type"
HTTP_METHOD = "http.request.method"
HTTP_ROUTE = "http.route"
HTTP_STATUS = "http.response.status_code"
URL_PATH = "url.path"
DB_SYSTEM = "db.system.name"
DB_BATCH_SIZE = "db.operation.batch.size"
MESSAGING_SYSTEM = "messaging.system"
MESSAGING_DESTINATION = "messaging.destination.name"
MESSAGING_PARTITION = "messaging.destination.partition.id"
MESSAGING_OPERATION = "messaging.operation.type"
MESSAGING_BATCH = "messaging.batch.message_count"
MESSAGING_OFFSET = "messaging.kafka.offset"

# Our own.
ACTION = "catalogue.action"
ALSO_PUBLISHED_TO = "catalogue.also_published_to"
CACHE = "catalogue.cache"
COMMAND = "catalogue.command"
CURRENT_VERSION = "catalogue.current_version"
DEAD_LETTER_ID = "catalogue.dead_letter_id"
DIGEST_ID = "catalogue.digest.id"
ERROR_CLASS = "catalogue.error_class"
EVENTS = "catalogue.events"
EVENTS_LEFT_OUT = "catalogue.events_left_out"
EVENT_TYPE = "catalogue.event_type"
IS_REPLAY = "catalogue.is_replay"
LEFT = "catalogue.left"
LOG_POSITION = "catalogue.log_position"
LOG_POSITIONS = "catalogue.log_positions"
MAIL_OUTCOME = "catalogue.mail.outcome"
OUTCOME = "catalogue.outcome"
POOL = "catalogue.pool"
PRODUCT_ID = "catalogue.product_id"
PROJECTION = "catalogue.projection"
RELEASED = "catalogue.released"
SECONDS_SINCE_RECORDED = "catalogue.seconds_since_recorded"
SLICE = "catalogue.slice"
STREAM_VERSION = "catalogue.stream_version"
WAITED_FOR = "catalogue.waited_for"

POSTGRESQL = "postgresql"
REDIS = "redis"
OPENSEARCH = "opensearch"
KAFKA = "kafka"
SMTP = "smtp"
