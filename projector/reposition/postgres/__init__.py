"""The places of projections in the read model."""
