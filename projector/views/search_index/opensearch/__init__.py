"""The documents and checkpoints of the search index in OpenSearch."""
