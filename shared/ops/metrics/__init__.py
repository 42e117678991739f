"""All metrics, declared in one place: a module for each area, and docs/metrics.md lists them.

A process exports the metrics of the modules that it imports. So this package imports none of them, and a
module holds what one process, or the same few processes, measure. Where a metric is set, the code imports it
from here; a test refuses any other declaration.
"""
