"""`python -m deploy.prometheus`: prints the configuration for the ports in the environment or `.env`."""

import sys
from pathlib import Path

from deploy.local.settings import StackSettings
from deploy.prometheus.configuration import configuration
from shared.ops.program import end_with


def main() -> int:
    """Exit code 0: printed."""
    sys.stdout.write(configuration(StackSettings.read(Path.cwd()).ports))
    return 0


if __name__ == "__main__":
    end_with(main)
