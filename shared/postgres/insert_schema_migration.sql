-- $1 number, $2 name, $3 sha256: a file was applied, in the file's own transaction.
INSERT INTO public.schema_migrations (number, name, sha256) VALUES ($1, $2, $3)
