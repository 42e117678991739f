-- The names of the applied migrations. Every role may read them.
SELECT name FROM public.schema_migrations
