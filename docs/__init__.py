"""What is written for people and other teams; `docs.generate` writes the part that the code decides."""
