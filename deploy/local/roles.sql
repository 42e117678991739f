-- Creates the roles of the local stack and its two databases if they are missing; it runs at every start.
-- catalogue_migrate owns both databases and runs migrations; the other roles belong to services and own nothing.
-- Each password is the name of its role, because these servers listen on 127.0.0.1 only. So few iterations are
-- enough: there is no secret to protect, and a connection is 10 ms faster.
SET scram_iterations = 64;

SELECT format('CREATE ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD %L', wanted, wanted)
FROM unnest(ARRAY['catalogue_migrate', 'catalogue_writer', 'catalogue_log_reader', 'catalogue_projector', 'catalogue_reader']) AS wanted
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted)
\gexec

SELECT format('CREATE DATABASE %I OWNER catalogue_migrate', wanted)
FROM unnest(ARRAY['event_store', 'read_model']) AS wanted
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = wanted)
\gexec
