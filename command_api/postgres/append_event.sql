-- Append a lone command's one event; NULL where something refuses it. See migrations/0005.
SELECT catalogue.append_event($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
