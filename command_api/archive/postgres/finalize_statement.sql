-- The rest of a detaching that was interrupted.
SELECT format('ALTER TABLE catalogue.events DETACH PARTITION catalogue.%I FINALIZE', $1::text)
