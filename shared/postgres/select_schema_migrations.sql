-- All applied files, one row per file.
SELECT number, name, sha256 FROM public.schema_migrations ORDER BY number
