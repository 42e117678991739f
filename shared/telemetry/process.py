"""Switches tracing on for a process, and sends its last spans at the end.

On: a receiver is named by OTEL_EXPORTER_OTLP_ENDPOINT (or the variable for traces alone), and neither
OTEL_SDK_DISABLED nor OTEL_TRACES_EXPORTER says otherwise. Off, the SDK is not even imported.
"""

import logging
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from dotenv import dotenv_values

from shared.telemetry.tracing import use_tracer

FLUSH_SECONDS_MAX = 2.0
"""For the last spans of a process that ends; a receiver that is away must not hold it up."""
_RECEIVERS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_log = logging.getLogger(__name__)


@contextmanager
def traced_process(
    process: str,
    version: str,
    count: Callable[[str, int], None] = lambda _, __: None,
    env_file: Path = Path(".env"),
) -> Iterator[None]:
    """Records the spans of this process until the end of the block. Begin it after a fork, not before.

    `count`: see `otlp.Count`.
    """
    _read_env_file(env_file)
    if not is_wanted(os.environ):
        yield
        return
    from shared.telemetry.otlp import sdk_tracer

    tracer = sdk_tracer(process, version, count)
    use_tracer(tracer)
    try:
        yield
    finally:
        use_tracer(None)
        if not tracer.stop(FLUSH_SECONDS_MAX):
            _log.warning("the last spans were not sent within %g s", FLUSH_SECONDS_MAX)


def is_wanted(environment: Mapping[str, str]) -> bool:
    """Whether these variables switch tracing on."""
    return (
        any(environment.get(name, "").strip() for name in _RECEIVERS)
        and environment.get("OTEL_SDK_DISABLED", "").strip().lower() != "true"
        and environment.get("OTEL_TRACES_EXPORTER", "otlp").strip().lower() in ("otlp", "")
    )


def _read_env_file(env_file: Path) -> None:
    """The SDK reads the environment alone, but `.env` has settings of all processes. The environment wins."""
    for name, value in dotenv_values(env_file).items() if env_file.exists() else ():
        if name.startswith("OTEL_") and value is not None:
            os.environ.setdefault(name, value)
