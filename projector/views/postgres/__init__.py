"""The common part of all views in PostgreSQL: one transaction for each batch, checkpoints, schemas."""
