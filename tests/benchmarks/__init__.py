"""Benchmarks: ratios between contenders that are measured in turn in one run. Never part of `make test`."""
