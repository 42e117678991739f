"""prometheus.yml with other ports: Prometheus reads no environment, and a copy by hand would be forgotten."""

from collections.abc import Mapping
from pathlib import Path

from deploy.local.settings import DEFAULT_PORTS, PROCESSES

FOLDER = Path(__file__).parent
CONFIGURATION = FOLDER / "prometheus.yml"


def configuration(ports: Mapping[str, int]) -> str:
    """The text for these ports. It can be stored anywhere: it names the rules by their absolute path."""
    text = CONFIGURATION.read_text().replace("- rules/", f"- {FOLDER / 'rules'}/")
    for kind in PROCESSES.values():
        text = text.replace(
            f'"127.0.0.1:{DEFAULT_PORTS[kind.ops_port]}"', f'"127.0.0.1:{ports[kind.ops_port]}"'
        )
    return text
