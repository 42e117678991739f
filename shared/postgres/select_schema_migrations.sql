-- All applied files. One row a file.
SELECT number, name, sha256 FROM public.schema_migrations ORDER BY number
