"""The index that searches are answered from where there is an OpenSearch."""
