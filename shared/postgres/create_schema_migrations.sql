-- What was applied to this database, and exactly which text. Every role may read it, so that readiness can compare.
CREATE TABLE IF NOT EXISTS public.schema_migrations (
    number     integer     PRIMARY KEY,
    name       text        NOT NULL UNIQUE,
    sha256     text        NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
);
GRANT SELECT ON public.schema_migrations TO PUBLIC;
