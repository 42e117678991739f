-- For sessions whose writes may be lost in a crash of the server: they do not flush, and do not slow down appends.
SET synchronous_commit TO off
