"""The snapshot, in one transaction of the read model."""
