-- Appends the one event of a single command; NULL if it is refused. See functions/append_event.sql.
SELECT catalogue.append_event($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
