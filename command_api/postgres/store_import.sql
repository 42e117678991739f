-- Stores the report of an import; false: another caller has reported one with this id.
-- $1 import id, $2 file, $3 caller, $4 when it started, $5 when it finished, $6 to $10 products: all, created, changed, unchanged,
-- rejected, $11 events or NULL, $12 rejects as JSON, $13 how many of them are left out, $14 how many imports are kept
SELECT catalogue.store_import($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12::jsonb, $13, $14)
