-- Where the log ends now: position order is commit order, so nothing appears behind it any more.
SELECT coalesce(max(position), 0) FROM catalogue.events
