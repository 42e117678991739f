-- Appends events to the stream of one endpoint and stores what it is now. The outcome is 'appended', 'conflict' (the stream has another
-- version; nothing was written) or 'too-many' (a new endpoint, and there are `endpoints_max` already).
--
-- One append at a time: so change positions rise in the order of commits. `starts_after` of a new endpoint is the end of the log: what
-- is committed later is delivered.
CREATE OR REPLACE FUNCTION catalogue.append_webhook_events(
    of_endpoint      uuid,
    expected_version int,             -- 0: a new endpoint
    event_types      text[],          -- one element each event
    event_data       jsonb[],
    actor            text,
    owner            text,
    is_deleted       boolean,
    document         jsonb,
    endpoints_max    int
) RETURNS TABLE (outcome text, stream_version int, recorded_at timestamptz)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    recorded_at_ timestamptz;
    position_    bigint;
    document_    jsonb := append_webhook_events.document;
    version_     int := append_webhook_events.expected_version + cardinality(append_webhook_events.event_types);
BEGIN
    PERFORM pg_advisory_xact_lock(7281044, 2);
    recorded_at_ := clock_timestamp();
    IF append_webhook_events.expected_version = 0 THEN
        IF (SELECT count(*) FROM catalogue.webhook_endpoints WHERE NOT is_deleted) >= append_webhook_events.endpoints_max THEN
            RETURN QUERY SELECT 'too-many', 0, recorded_at_;
            RETURN;
        END IF;
        document_ := document_ || jsonb_build_object(
            'starts_after', coalesce((SELECT max(position) FROM catalogue.events), 0));
    END IF;
    SELECT coalesce(max(change_position), 0) INTO position_ FROM catalogue.webhook_events;
    IF append_webhook_events.expected_version = 0 THEN
        INSERT INTO catalogue.webhook_endpoints (endpoint_id, stream_version, change_position, owner, is_deleted, document)
        VALUES (append_webhook_events.of_endpoint, version_, position_ + version_, append_webhook_events.owner,
                append_webhook_events.is_deleted, document_)
        ON CONFLICT DO NOTHING;
    ELSE
        UPDATE catalogue.webhook_endpoints endpoint
        SET stream_version = version_, is_deleted = append_webhook_events.is_deleted, document = document_,
            change_position = position_ + cardinality(append_webhook_events.event_types)
        WHERE endpoint.endpoint_id = append_webhook_events.of_endpoint
          AND endpoint.stream_version = append_webhook_events.expected_version
          AND NOT endpoint.is_deleted;
    END IF;
    IF NOT FOUND THEN
        RETURN QUERY SELECT 'conflict', 0, recorded_at_;
        RETURN;
    END IF;
    INSERT INTO catalogue.webhook_events
        (endpoint_id, stream_version, change_position, event_type, data, actor, recorded_at)
    SELECT append_webhook_events.of_endpoint, append_webhook_events.expected_version + event.number, position_ + event.number,
           event.type, event.data, append_webhook_events.actor, recorded_at_
    FROM unnest(append_webhook_events.event_types, append_webhook_events.event_data) WITH ORDINALITY AS event(type, data, number);
    RETURN QUERY SELECT 'appended', version_, recorded_at_;
END
$$;
