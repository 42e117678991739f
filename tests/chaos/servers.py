"""A broker that each process reaches through a proxy of its own, as it reaches the other servers."""

from collections.abc import Mapping
from pathlib import Path

from deploy.local.kafka import KafkaServer
from deploy.local.ports import HOST


class ProxiedKafkaServer(KafkaServer):
    """A broker with more listeners, each of which advertises the address of a proxy.

    A broker gives every client the address that the client's listener advertises. So each process has a
    listener that advertises its proxy, and all its connections go through the proxy.
    """

    def __init__(
        self,
        data_dir: Path,
        port: int,
        controller_port: int,
        log_file: Path,
        listeners: Mapping[str, tuple[int, int]],
    ) -> None:
        """`listeners`: name -> (the port of the listener, the port of its proxy)."""
        super().__init__(data_dir, port, controller_port, log_file)
        self._listeners = {name.upper().replace("-", "_"): ports for name, ports in listeners.items()}

    def _properties(self) -> dict[str, str | int]:
        properties = super()._properties()
        own = "".join(f",{name}://{HOST}:{port}" for name, (port, _) in self._listeners.items())
        told = "".join(f",{name}://{HOST}:{proxy}" for name, (_, proxy) in self._listeners.items())
        names = ("CONTROLLER", "PLAINTEXT", *self._listeners)
        return {
            **properties,
            "listeners": f"{properties['listeners']}{own}",
            "advertised.listeners": f"{properties['advertised.listeners']}{told}",
            "listener.security.protocol.map": ",".join(f"{name}:PLAINTEXT" for name in names),
            "num.network.threads": 1,  # for each listener
        }
