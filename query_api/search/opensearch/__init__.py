"""The second search engine: an index in OpenSearch that all query processes share."""
