"""Reads products from the tables of the read model."""
