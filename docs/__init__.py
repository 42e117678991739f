"""Documentation for people and other teams; `docs.generate` writes the part that follows from the code."""
