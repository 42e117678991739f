-- Appends a batch of commands; functions/append_events.sql describes the arrays.
SELECT first_position, refused_commands, refused_outcomes, refused_details
FROM catalogue.append_events(
    $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)
