"""What a policy about rendered objects is, and a fault that it must notice."""

from collections.abc import Callable, Iterator, Sequence

from tests.deploy.kustomization import Manifest

Rule = Callable[[Sequence[Manifest]], Iterator[str]]
"""Says each breach in a line."""
Fault = Callable[[list[Manifest]], object]
"""Changes the objects."""
