-- Only a table that is detached, or was never attached.
SELECT format('DROP TABLE IF EXISTS catalogue.%I', $1::text)
