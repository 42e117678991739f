-- Records an applied file, in the file's own transaction. $1 number, $2 name, $3 sha256
INSERT INTO public.schema_migrations (number, name, sha256) VALUES ($1, $2, $3)
