"""What all views in PostgreSQL share: one transaction a batch, checkpoints, schemas."""
