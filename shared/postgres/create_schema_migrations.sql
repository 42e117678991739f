-- The applied migrations, with the checksums of their texts. Every role may read them, for the readiness check.
CREATE TABLE IF NOT EXISTS public.schema_migrations (
    number     integer     PRIMARY KEY,
    name       text        NOT NULL UNIQUE,
    sha256     text        NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
);
GRANT SELECT ON public.schema_migrations TO PUBLIC;
