"""The running build, for logs, /version and a metric: every incident begins with this question."""

import os
from functools import cache
from importlib import metadata

DISTRIBUTION = "product-catalogue"


@cache
def service_version() -> str:
    """The released version: `SERVICE_VERSION` (set by the image build), else the installed package's, else
    `0+unknown`.
    """
    from_environment = os.environ.get("SERVICE_VERSION")
    if from_environment:
        return from_environment
    try:
        return metadata.version(DISTRIBUTION)
    except metadata.PackageNotFoundError:
        # Run from a bare checkout: a valid PEP 440 version that no release can have.
        return "0+unknown"


@cache
def service_revision() -> str:
    """The git revision from `SERVICE_REVISION`; `unknown` outside an image (asking git at run time needs a
    repository).
    """
    return os.environ.get("SERVICE_REVISION") or "unknown"
