"""The shards as databases on PostgreSQL servers."""
