"""The log's tail, the relay's lock and its cursor."""
