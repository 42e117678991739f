"""Three nodes of OpenSearch that are one cluster, each a process that can be killed."""

from pathlib import Path

from deploy.local.opensearch import OpenSearchServer
from deploy.local.ports import free_port

_NAMES = ("one", "two", "three")


class OpenSearchCluster:
    """Any two of `nodes` go on without the third."""

    def __init__(self, folder: Path) -> None:
        transport = {name: free_port() for name in _NAMES}
        self.nodes = [
            OpenSearchServer(
                folder / name, free_port(), port, folder / f"{name}.log", node=name, cluster=transport
            )
            for name, port in transport.items()
        ]

    def start(self) -> None:
        """All at once: none is ready before most of them are."""
        for node in self.nodes:
            node.prepare()
            node.spawn()
        for node in self.nodes:
            node.wait_until_ready()

    def stop(self) -> None:
        for node in self.nodes:
            node.stop()
