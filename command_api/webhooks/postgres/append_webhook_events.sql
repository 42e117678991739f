-- Append the events of one command and store what the endpoint is now.
SELECT outcome FROM catalogue.append_webhook_events(
    $1::uuid, $2::int, $3::text[], $4::jsonb[], $5::text, $6::text, $7::boolean, $8::jsonb, $9::int)
