-- THE append: one call writes a batch of commands, at most one per product, key, slug and SKU (the caller,
-- PostgresEventStore, ensures this). Only append_event, for a single command, also writes events.
--
-- The advisory lock is taken first, and freed after the commit is visible. Every statement below takes its
-- snapshot after the lock, and positions are drawn under it. So position order is commit order, and
-- "WHERE position > $1 ORDER BY position" is a safe tail for every reader. Needs READ COMMITTED.
--
-- Reasons to refuse a command, the first one counts: its key is already stored ('duplicate-key'); the stream has
-- another version than expected ('version-conflict', detail: the present one); another product holds a slug or SKU
-- ('taken', detail: kind and value). A refused command writes nothing. Accepted commands get consecutive positions
-- from first_position on, in the given order.
--
-- The usual batch, in which nothing is refused, costs one query for all checks and no window function.
CREATE OR REPLACE FUNCTION catalogue.append_events(
    -- one element a command
    product_ids       uuid[],
    expected_versions int[],          -- 0: the product must not exist
    event_counts      int[],          -- 0: only the answer is stored
    last_positions    bigint[],       -- of the stream as loaded: what a command without events answers with
    -- one element a command that carries a key
    key_commands      int[],          -- which command, from 1
    keys              uuid[],
    fingerprints      uuid[],
    statuses          smallint[],
    bodies            bytea[],
    -- one element a slug or SKU
    claim_commands    int[],
    claim_kinds       "char"[],
    claim_values      text[],
    release_commands  int[],
    release_kinds     "char"[],
    release_values    text[],
    -- one element an event, in order
    event_commands    int[],
    stream_versions   int[],
    event_types       text[],
    schema_versions   smallint[],
    event_data        bytea[],
    event_metadata    bytea[],
    OUT first_position   bigint,
    OUT recorded_at      timestamptz,
    OUT refused_commands int[],
    OUT refused_outcomes text[],
    OUT refused_details  text[]
)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
-- Plans are made once and kept; on an empty table the planner would choose scans that are ruinous later.
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
#variable_conflict use_column
DECLARE
    accepted_events bigint := cardinality(event_commands);
    all_accepted    bool := true;
    refused         int[];
BEGIN
    PERFORM pg_advisory_xact_lock(7281044, 1);
    recorded_at := clock_timestamp();

    -- Asked as one question, which the usual batch answers with no; only then which command, and why.
    IF EXISTS (
            SELECT FROM unnest(append_events.keys) AS asked(key)
            JOIN catalogue.idempotency_keys stored ON stored.key = asked.key
            WHERE stored.created_at > append_events.recorded_at - interval '24 hours')
       OR EXISTS (
            SELECT FROM unnest(append_events.product_ids, append_events.expected_versions)
                 AS asked(product_id, expected_version)
            LEFT JOIN catalogue.streams stream ON stream.product_id = asked.product_id
            WHERE coalesce(stream.stream_version, 0) <> asked.expected_version)
       OR cardinality(claim_commands) > 0 AND EXISTS (
            SELECT FROM unnest(append_events.claim_commands, append_events.claim_kinds, append_events.claim_values)
                 AS claim(command, kind, value)
            JOIN catalogue.reservations held ON held.kind = claim.kind AND held.value = claim.value
            WHERE held.product_id <> append_events.product_ids[claim.command])
    THEN
        IF cardinality(key_commands) > 0 THEN
            SELECT array_agg(asked.command), array_agg('duplicate-key'::text), array_agg(''::text)
            INTO refused_commands, refused_outcomes, refused_details
            FROM unnest(append_events.key_commands, append_events.keys) AS asked(command, key)
            JOIN catalogue.idempotency_keys stored ON stored.key = asked.key
            WHERE stored.created_at > append_events.recorded_at - interval '24 hours';
        END IF;

        SELECT coalesce(append_events.refused_commands, '{}') || coalesce(array_agg(asked.command::int), '{}'),
               coalesce(append_events.refused_outcomes, '{}') || coalesce(array_agg('version-conflict'::text), '{}'),
               coalesce(append_events.refused_details, '{}') || coalesce(array_agg(coalesce(stream.stream_version, 0)::text), '{}')
        INTO refused_commands, refused_outcomes, refused_details
        FROM unnest(append_events.product_ids, append_events.expected_versions)
             WITH ORDINALITY AS asked(product_id, expected_version, command)
        LEFT JOIN catalogue.streams stream ON stream.product_id = asked.product_id
        WHERE coalesce(stream.stream_version, 0) <> asked.expected_version
          AND asked.command <> ALL (coalesce(append_events.refused_commands, '{}'));

        IF cardinality(claim_commands) > 0 THEN
            SELECT append_events.refused_commands || coalesce(array_agg(command), '{}'),
                   append_events.refused_outcomes || coalesce(array_agg('taken'::text), '{}'),
                   append_events.refused_details || coalesce(array_agg(detail), '{}')
            INTO refused_commands, refused_outcomes, refused_details
            FROM (
                SELECT DISTINCT ON (claim.command) claim.command, held.kind::text || held.value AS detail
                FROM unnest(append_events.claim_commands, append_events.claim_kinds, append_events.claim_values)
                     AS claim(command, kind, value)
                JOIN catalogue.reservations held ON held.kind = claim.kind AND held.value = claim.value
                WHERE held.product_id <> append_events.product_ids[claim.command]
                  AND claim.command <> ALL (append_events.refused_commands)
                ORDER BY claim.command, held.kind, held.value
            ) taken;
        END IF;
    ELSE
        refused_commands := '{}';
        refused_outcomes := '{}';
        refused_details := '{}';
    END IF;

    refused := refused_commands;
    all_accepted := cardinality(refused) = 0;
    IF NOT all_accepted THEN
        SELECT count(*) INTO accepted_events FROM unnest(append_events.event_commands) command
        WHERE command <> ALL (refused);
    END IF;

    IF accepted_events > 0 THEN
        -- nextval and setval under the lock: consecutive positions for the batch, in two calls.
        first_position := nextval('catalogue.event_position');
        IF accepted_events > 1 THEN
            PERFORM setval('catalogue.event_position', first_position + accepted_events - 1);
        END IF;

        IF all_accepted THEN
            INSERT INTO catalogue.events
                (position, product_id, stream_version, schema_version, event_type, data, metadata, recorded_at)
            SELECT append_events.first_position - 1 + event.place,
                   append_events.product_ids[event.command], event.stream_version, event.schema_version,
                   event.event_type, event.data, event.metadata, append_events.recorded_at
            FROM unnest(append_events.event_commands, append_events.stream_versions, append_events.event_types,
                        append_events.schema_versions, append_events.event_data, append_events.event_metadata)
                 WITH ORDINALITY AS event(command, stream_version, event_type, schema_version, data, metadata, place);
        ELSE
            INSERT INTO catalogue.events
                (position, product_id, stream_version, schema_version, event_type, data, metadata, recorded_at)
            SELECT append_events.first_position - 1 + row_number() OVER (ORDER BY event.place),
                   append_events.product_ids[event.command], event.stream_version, event.schema_version,
                   event.event_type, event.data, event.metadata, append_events.recorded_at
            FROM unnest(append_events.event_commands, append_events.stream_versions, append_events.event_types,
                        append_events.schema_versions, append_events.event_data, append_events.event_metadata)
                 WITH ORDINALITY AS event(command, stream_version, event_type, schema_version, data, metadata, place)
            WHERE event.command <> ALL (refused);
        END IF;
    END IF;

    -- Where each accepted command's events ended up; the refused ones drop out for all that follows.
    IF cardinality(event_counts) = 1 THEN
        -- The idle writer's case: an expression instead of one more statement.
        last_positions := ARRAY[CASE WHEN event_counts[1] = 0 THEN last_positions[1]
                                     ELSE first_position - 1 + event_counts[1] END];
    ELSE
        SELECT array_agg(CASE WHEN event_count = 0 THEN last_position ELSE first_position_ - 1 + upto END ORDER BY command)
        INTO last_positions
        FROM (
            SELECT asked.*, append_events.first_position AS first_position_,
                   sum(CASE WHEN asked.command = ANY (refused) THEN 0 ELSE asked.event_count END)
                       OVER (ORDER BY asked.command) AS upto
            FROM unnest(append_events.event_counts, append_events.last_positions)
                 WITH ORDINALITY AS asked(event_count, last_position, command)
        ) placed;
    END IF;

    IF 0 = ANY (expected_versions) THEN
        INSERT INTO catalogue.streams (product_id, stream_version, first_position, last_position)
        SELECT asked.product_id, asked.event_count,
               asked.last_position - asked.event_count + 1, asked.last_position
        FROM unnest(append_events.product_ids, append_events.expected_versions, append_events.event_counts,
                    append_events.last_positions)
             WITH ORDINALITY AS asked(product_id, expected_version, event_count, last_position, command)
        WHERE asked.expected_version = 0 AND asked.event_count > 0 AND asked.command <> ALL (refused);
    END IF;

    IF 0 <> ANY (expected_versions) THEN
        UPDATE catalogue.streams stream
        SET stream_version = asked.expected_version + asked.event_count, last_position = asked.last_position
        FROM unnest(append_events.product_ids, append_events.expected_versions, append_events.event_counts,
                    append_events.last_positions)
             WITH ORDINALITY AS asked(product_id, expected_version, event_count, last_position, command)
        WHERE stream.product_id = asked.product_id
          AND asked.expected_version > 0 AND asked.event_count > 0 AND asked.command <> ALL (refused);
    END IF;

    IF cardinality(release_commands) > 0 THEN
        DELETE FROM catalogue.reservations held
        USING unnest(append_events.release_commands, append_events.release_kinds, append_events.release_values)
              AS release(command, kind, value)
        WHERE held.kind = release.kind AND held.value = release.value
          AND held.product_id = append_events.product_ids[release.command] AND release.command <> ALL (refused);
    END IF;

    IF cardinality(claim_commands) > 0 THEN
        INSERT INTO catalogue.reservations (kind, value, product_id)
        SELECT claim.kind, claim.value, append_events.product_ids[claim.command]
        FROM unnest(append_events.claim_commands, append_events.claim_kinds, append_events.claim_values)
             AS claim(command, kind, value)
        WHERE claim.command <> ALL (refused);
    END IF;

    IF cardinality(key_commands) > 0 THEN
        INSERT INTO catalogue.idempotency_keys
            (key, fingerprint, product_id, stream_version, last_position, status, body, created_at)
        SELECT given.key, given.fingerprint, append_events.product_ids[given.command],
               append_events.expected_versions[given.command] + append_events.event_counts[given.command],
               append_events.last_positions[given.command], given.status, given.body, append_events.recorded_at
        FROM unnest(append_events.key_commands, append_events.keys, append_events.fingerprints,
                    append_events.statuses, append_events.bodies)
             AS given(command, key, fingerprint, status, body)
        WHERE given.command <> ALL (refused)
        -- Only a key past its 24 hours can still stand here: younger ones were refused above.
        ON CONFLICT (key) DO UPDATE SET
            fingerprint = excluded.fingerprint, product_id = excluded.product_id,
            stream_version = excluded.stream_version, last_position = excluded.last_position,
            status = excluded.status, body = excluded.body, created_at = excluded.created_at;
    END IF;
END
$$;

REVOKE ALL ON FUNCTION catalogue.append_events FROM PUBLIC;
GRANT EXECUTE ON FUNCTION catalogue.append_events TO catalogue_writer;
