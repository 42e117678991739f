"""`make load`: a realistic mix of requests in an open model, and a report about it."""
