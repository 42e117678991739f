"""`python -m deploy.prometheus`: prints the configuration for the ports in the environment or `.env`."""

import sys
from pathlib import Path

from deploy.local.settings import StackSettings
from deploy.prometheus.configuration import configuration

if __name__ == "__main__":
    sys.stdout.write(configuration(StackSettings.read(Path.cwd()).ports))
