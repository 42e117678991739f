"""The next search index in OpenSearch."""
