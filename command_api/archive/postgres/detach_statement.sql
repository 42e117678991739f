-- Detaching takes no lock that an append waits for; PostgreSQL allows it in no function and no transaction.
SELECT format('ALTER TABLE catalogue.events DETACH PARTITION catalogue.%I CONCURRENTLY', $1::text)
