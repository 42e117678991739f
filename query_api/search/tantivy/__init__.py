"""The embedded search engine: an index of this process alone, in a folder."""
