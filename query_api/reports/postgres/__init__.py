"""Reads reports from the tables of the counting views."""
