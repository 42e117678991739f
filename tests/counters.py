"""Counters are the process's: a test that reads one compares it with what it was before."""

from prometheus_client import REGISTRY


def counted(name: str, **labels: str) -> float:
    """A counter of this process, summed over the labels that are not given; 0.0 before its first count."""
    return sum(
        sample.value
        for family in REGISTRY.collect()
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    )
