"""A log whose partitions are small enough for a test: ten positions each, two empty ones ahead."""

SMALL_PARTITIONS = """
DO $$ DECLARE part text; BEGIN
    FOR part IN SELECT partition_name FROM catalogue.log_partitions() LOOP
        EXECUTE format('DROP TABLE catalogue.%I', part);
    END LOOP;
END $$;
UPDATE catalogue.event_log SET partition_positions = 10;
SELECT catalogue.ensure_partitions()
"""
"""For an empty log, as its owner."""
