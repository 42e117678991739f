"""Every process reads its environment once, at start, and refuses to run on a wrong value.

A service that starts with a partly wrong configuration fails later, and its error is hard to find. So each
process declares one frozen settings class, and a wrong value ends the start with one line per variable, under
the name that the operator uses.
"""

import re
import sys
from typing import TypeVar

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from shared.ops.http.limits import ConnectionLimits

EXIT_USAGE = 2


class ProcessSettings(BaseSettings):
    """Settings of every process; each process adds its own fields in its `settings.py`.

    Sources, strongest first: keyword arguments (tests), environment, `.env` in the working directory,
    defaults. Unknown variables are ignored because one `.env` serves all processes.
    """

    model_config = SettingsConfigDict(
        env_file=".env", env_file_encoding="utf-8", extra="ignore", frozen=True, hide_input_in_errors=True
    )

    log_level: str = Field(default="INFO", pattern="^(DEBUG|INFO|WARNING|ERROR|CRITICAL)$")
    # How often the same warning or error of a library is logged in so many seconds; more are only counted.
    log_repeats_max: int = Field(default=5, ge=1)
    log_repeats_seconds: float = Field(default=10.0, gt=0)
    # PEM files whose expiry is exported: a JSON list of paths.
    certificate_files: tuple[str, ...] = ()
    listen_host: str = "127.0.0.1"
    shutdown_seconds_max: float = Field(default=20.0, gt=0)

    # From a request's first byte to the end of its headers.
    request_head_seconds_max: float = Field(default=20.0, gt=0)
    # For a body, plus one second for each CLIENT_BYTES_PER_SECOND_MIN bytes that have arrived.
    request_body_seconds_max: float = Field(default=20.0, gt=0)
    # From when a client stops reading its answer, plus one second for each of those bytes.
    answer_seconds_max: float = Field(default=30.0, gt=0)
    # After the last answer, before a client that does not end the connection is cut off.
    linger_seconds_max: float = Field(default=2.0, gt=0)
    client_bytes_per_second_min: int = Field(default=16_384, ge=1)
    # The bodies of all requests that one port has at one time.
    request_bodies_bytes_max: int = Field(default=256 * 1024 * 1024, ge=1)

    @property
    def connection_limits(self) -> ConnectionLimits:
        """The limits of each port of the process for one client."""
        return ConnectionLimits(
            head_seconds_max=self.request_head_seconds_max,
            body_seconds_max=self.request_body_seconds_max,
            answer_seconds_max=self.answer_seconds_max,
            linger_seconds_max=self.linger_seconds_max,
            bytes_per_second_min=self.client_bytes_per_second_min,
            bodies_bytes_max=self.request_bodies_bytes_max,
        )


S = TypeVar("S", bound=BaseSettings)


def load_settings(cls: type[S]) -> S:
    """Read `cls` from the environment; for a wrong value print its name and the reason on stderr, and raise
    `SystemExit(2)`.

    No value is ever printed: a mistyped DSN or token is still a secret.
    """
    try:
        return cls()
    except ValidationError as error:
        for wrong in error.errors(include_url=False, include_context=False, include_input=False):
            print(f"{_variable(wrong['loc'])}: {wrong['msg']}", file=sys.stderr)  # noqa: T201
    except SettingsError as error:
        # A list or mapping that is not JSON; only the message has the field's name, and it contains no value.
        field = re.search(r'field "(\w+)"', str(error))
        name = field[1].upper() if field else "settings"
        print(f"{name}: Input should be valid JSON", file=sys.stderr)  # noqa: T201
    raise SystemExit(EXIT_USAGE)


def _variable(location: tuple[int | str, ...]) -> str:
    """The environment variable behind a pydantic error location; a model-wide rule has no location."""
    return str(location[0]).upper() if location else "settings"
