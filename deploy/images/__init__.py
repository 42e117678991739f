"""What the three images are made of: for the Dockerfiles, and for `make images` and `make sbom`."""
