"""OpenSearch as the index of products: what the projector, which writes it, and its readers must agree on."""
