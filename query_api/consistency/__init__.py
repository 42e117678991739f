"""Read your writes: a reader that sends a Consistency-Token waits until its write is visible."""
