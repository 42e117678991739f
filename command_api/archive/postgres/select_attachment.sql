-- Whether the table of a partition is there (first), is attached (second), and its detaching was begun and interrupted (third).
SELECT to_regclass(format('catalogue.%I', $1::text)) IS NOT NULL,
       inherits.inhrelid IS NOT NULL, coalesce(inherits.inhdetachpending, false)
FROM (SELECT to_regclass(format('catalogue.%I', $1::text))) AS part(oid)
LEFT JOIN pg_inherits inherits ON inherits.inhrelid = part.oid
