-- The version that a product had at a time: that of its last event recorded then or before. 0: it began later. NULL: it never was.
--
-- A binary search, because no index has the times: 16 look-ups in a stream of 50,000 events. Each look-up also narrows the positions,
-- so that the next one reads fewer partitions. A clock that was set back makes times that do not rise: then the answer is one of the
-- versions around that moment. An event that is gone with a removed partition counts as older than any time.
CREATE OR REPLACE FUNCTION catalogue.stream_version_at(of_product uuid, at_time timestamptz) RETURNS int
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
    low      int := 0;
    high     int;
    middle   int;
    lowest   bigint;
    highest  bigint;
    probe    record;
BEGIN
    SELECT stream.stream_version + 1, stream.first_position, stream.last_position INTO high, lowest, highest
    FROM catalogue.streams stream WHERE stream.product_id = of_product;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    WHILE high - low > 1 LOOP
        middle := (low + high) / 2;
        SELECT event.position, event.recorded_at INTO probe
        FROM catalogue.events event
        WHERE event.product_id = of_product AND event.stream_version = middle AND event.position BETWEEN lowest AND highest;
        IF probe.recorded_at > at_time THEN
            high := middle;
            highest := probe.position;
        ELSE
            low := middle;
            lowest := coalesce(probe.position, lowest);
        END IF;
    END LOOP;
    RETURN low;
END
$$;

REVOKE ALL ON FUNCTION catalogue.stream_version_at FROM PUBLIC;
GRANT EXECUTE ON FUNCTION catalogue.stream_version_at TO catalogue_log_reader;
