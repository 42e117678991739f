-- The end of the log now. Position order is commit order, so no event appears before it any more.
SELECT coalesce(max(position), 0) FROM catalogue.events
