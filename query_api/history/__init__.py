"""The past of a product, folded from the event log: versions, what changed between them, and prices."""
