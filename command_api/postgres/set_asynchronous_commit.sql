-- For sessions that write only what may be lost in a crash of the server: no flush, none taken from appends.
SET synchronous_commit TO off
