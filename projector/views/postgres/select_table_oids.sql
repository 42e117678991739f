-- Which tables have these names now: a rebuild's switch gives the names to other ones.
-- $1 names with their schema
SELECT array_agg(to_regclass(name)::oid) FROM unnest($1::text[]) AS name
