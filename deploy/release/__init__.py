"""`make release`: what must be true before a release is cut, and the cut itself."""
