"""Tests of what the tests stand on: servers, folders, distribution and reports."""
