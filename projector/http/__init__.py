"""The operators' endpoints on the operations port; the only HTTP of the projector."""
