-- Deliveries to webhook endpoints. Everything that changes the queue of an endpoint locks its row in views.webhook_endpoint first.

-- How far the projector has read the changes of endpoints, and of which log its positions are. One row.
CREATE TABLE views.webhook_place (
    is_only         boolean PRIMARY KEY DEFAULT true CHECK (is_only),
    change_position bigint  NOT NULL,
    log_id          uuid    NOT NULL
);

CREATE TABLE views.webhook_endpoint (
    endpoint_id     uuid        PRIMARY KEY,
    stream_version  int         NOT NULL,
    document        jsonb       NOT NULL,          -- shared/webhooks/endpoint.py
    is_enabled      boolean     NOT NULL,          -- as its owner wants it
    log_position    bigint      NOT NULL,          -- the matching events up to here are in views.webhook_delivery
    throttled_until timestamptz,                   -- the receiver asked for a pause
    failing_since   timestamptz,                   -- the first failure since the last success
    last_success_at timestamptz,
    last_failure_at timestamptz,
    disabled_at     timestamptz,                   -- by us; a change that enables it clears this
    disabled_reason text
);

-- One message to one endpoint. Of each product the waiting ones are sent in the order of their ids.
CREATE TABLE views.webhook_delivery (
    delivery_id  bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    endpoint_id  uuid        NOT NULL,
    product_id   uuid        NOT NULL,             -- a test message has the nil UUID
    webhook_id   text        NOT NULL,             -- the event's id: the same whenever it is sent again
    event_type   text        NOT NULL,
    log_position bigint,                           -- NULL: a test message
    event_time   timestamptz NOT NULL,
    state        text        NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'delivered', 'failed', 'cancelled')),
    body         bytea       CHECK (body IS NOT NULL OR state <> 'waiting'),
    attempts     jsonb       NOT NULL DEFAULT '[]',
    settled_at   timestamptz
);
CREATE INDEX webhook_delivery_newest ON views.webhook_delivery (endpoint_id, delivery_id);
CREATE INDEX webhook_delivery_waiting ON views.webhook_delivery (endpoint_id, product_id, delivery_id) WHERE state = 'waiting';
CREATE INDEX webhook_delivery_settled ON views.webhook_delivery (settled_at) WHERE settled_at IS NOT NULL;

-- A product of an endpoint with waiting messages. Who sends the first of them sets due_at to when others may try again, so that a
-- process that is killed keeps nothing; `claim_id` tells whether it is still the sender's.
CREATE TABLE views.webhook_lane (
    endpoint_id    uuid        NOT NULL,
    product_id     uuid        NOT NULL,
    failed_attempts int        NOT NULL DEFAULT 0, -- of its first message
    due_at         timestamptz NOT NULL,
    claim_id       uuid,
    PRIMARY KEY (endpoint_id, product_id)
);
CREATE INDEX webhook_lane_due ON views.webhook_lane (endpoint_id, due_at);

GRANT SELECT, INSERT, UPDATE, DELETE
    ON views.webhook_place, views.webhook_endpoint, views.webhook_delivery, views.webhook_lane TO catalogue_projector;
-- Not the document, which has sealed secrets, and not the bodies.
GRANT SELECT (endpoint_id, stream_version, is_enabled, log_position, throttled_until, failing_since, last_success_at,
              last_failure_at, disabled_at, disabled_reason) ON views.webhook_endpoint TO catalogue_reader;
GRANT SELECT (delivery_id, endpoint_id, product_id, webhook_id, event_type, log_position, event_time, state, attempts, settled_at)
    ON views.webhook_delivery TO catalogue_reader;
GRANT SELECT ON views.webhook_lane TO catalogue_reader;
