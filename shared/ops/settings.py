"""Every process reads its environment once, at start, and refuses to run on a wrong value.

A service that starts with a partly wrong configuration fails later, and its error is hard to find. So each
process declares one frozen settings class, and a wrong value ends the start with one line per variable, under
the name that the operator uses.
"""

import re
import sys
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import TypeVar

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from shared.ops.addresses import HttpAddress
from shared.ops.development import unfit_elsewhere
from shared.ops.http.answer_headers import PAGE_POLICIES, AnswerHeaders, api_headers
from shared.ops.http.cross_origin import AllowedOrigins
from shared.ops.http.limits import ConnectionLimits
from shared.ops.log_limits import LINES_PER_SECOND_MAX
from shared.ops.overload.overload import OverloadLimits
from shared.ops.secret_files import SecretFiles, SecretFilesAreWrong

EXIT_USAGE = 2
# As a browser sends it (RFC 6454): no path, lower case.
_origin = re.compile(r"https?://[a-z0-9.-]+(:[0-9]{1,5})?|https?://\[[0-9a-f:.]+\](:[0-9]{1,5})?")


class ProcessSettings(BaseSettings):
    """Settings of every process; each process adds its own fields in its `settings.py`.

    Sources, strongest first: keyword arguments (tests), files of secrets, environment, `.env` in the working
    directory, defaults. Unknown variables are ignored because one `.env` serves all processes.
    """

    model_config = SettingsConfigDict(
        env_file=".env", env_file_encoding="utf-8", extra="ignore", frozen=True, hide_input_in_errors=True
    )

    log_level: str = Field(default="INFO", pattern="^(DEBUG|INFO|WARNING|ERROR|CRITICAL)$")
    # How often the same warning or error of a library is logged in so many seconds; more are only counted.
    log_repeats_max: int = Field(default=5, ge=1)
    log_repeats_seconds: float = Field(default=10.0, gt=0)
    # Lines about answered requests in one second, of usual ones and of warnings each; errors have no limit.
    access_lines_per_second_max: int = Field(default=LINES_PER_SECOND_MAX, ge=1)
    # PEM files whose expiry is exported: a JSON list of paths.
    certificate_files: tuple[str, ...] = ()
    # Elsewhere than on loopback, development defaults are refused.
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

    # Where spans go. OpenTelemetry's SDK reads these itself; here they are only checked.
    otel_exporter_otlp_endpoint: HttpAddress = ""
    otel_exporter_otlp_traces_endpoint: HttpAddress = ""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """`NAME_FILE` for each secret `NAME`, from the environment or `.env`."""
        assert isinstance(env_settings, EnvSettingsSource), "pydantic-settings passes its own sources"
        assert isinstance(dotenv_settings, DotEnvSettingsSource), "pydantic-settings passes its own sources"
        variables = {**dotenv_settings.env_vars, **env_settings.env_vars}
        return init_settings, SecretFiles(settings_cls, variables), env_settings, dotenv_settings

    @property
    def unused_fields(self) -> frozenset[str]:
        """Fields without effect, because of other settings: nobody has to set them."""
        return frozenset()

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


class ApiSettings(ProcessSettings):
    """Settings of both APIs: overload, and browsers."""

    # How many requests are worked on at one time; others wait. Reads that the cache answers do not count.
    requests_in_work_max: int = Field(default=64, ge=1)
    # How long a request waits for a place: in a burst, and when the queue was not empty for that long.
    request_queue_seconds_max: float = Field(default=0.5, gt=0)
    request_queue_standing_seconds_max: float = Field(default=0.1, gt=0)
    # New requests are refused if the event loop was later than this in all of REQUEST_QUEUE_SECONDS_MAX.
    loop_delay_seconds_max: float = Field(default=0.1, gt=0)

    # At a stop: how long each answer asks its client for another connection, before idle ones are closed.
    drain_seconds: float = Field(default=0.0, ge=0)

    # Whether /docs and /openapi.json exist.
    docs_enabled: bool = True
    # Origins whose pages may read answers, separated by spaces or commas: https://shop.example.com.
    cors_origins: str = ""
    # How long browsers must use TLS for this host; 0: the header is not sent. Only where all of it has TLS.
    hsts_seconds: int = Field(default=0, ge=0)

    @property
    def overload_limits(self) -> OverloadLimits:
        """When the API refuses requests because of overload."""
        return OverloadLimits(
            requests_in_work_max=self.requests_in_work_max,
            queue_seconds_max=self.request_queue_seconds_max,
            queue_standing_seconds_max=self.request_queue_standing_seconds_max,
            loop_delay_seconds_max=self.loop_delay_seconds_max,
        )

    @field_validator("cors_origins")
    @classmethod
    def _are_origins(cls, given: str) -> str:
        for origin in _words(given):
            if _origin.fullmatch(origin) is None:
                raise ValueError("each origin is scheme://host or scheme://host:port in lower case, no *")
        return given

    def answer_headers(
        self, methods: Iterable[str], policies: Mapping[bytes, bytes] = MappingProxyType({})
    ) -> AnswerHeaders:
        """The headers of every answer; listed origins may use these methods. `policies` are those of further
        pages, by path.
        """
        origins = _words(self.cors_origins)
        return api_headers(
            page_policies={**(PAGE_POLICIES if self.docs_enabled else {}), **policies},
            hsts_seconds=self.hsts_seconds,
            origins=AllowedOrigins(origins, methods) if origins else None,
        )


S = TypeVar("S", bound=ProcessSettings)


def load_settings(cls: type[S], further: Callable[[S], Iterable[str]] = lambda _: ()) -> S:
    """Read `cls` from the environment; for a wrong value print its name and the reason on stderr, and raise
    `SystemExit(2)`. The same for a development default where others reach the process, and
    for each reason of `further`.

    No value is ever printed: a mistyped DSN or token is still a secret.
    """
    try:
        settings = cls()
        unfit = [*further(settings), *unfit_elsewhere(settings, settings.listen_host, settings.unused_fields)]
        if not unfit:
            return settings
        print("\n".join(unfit), file=sys.stderr)  # noqa: T201
    except ValidationError as error:
        for wrong in error.errors(include_url=False, include_context=False, include_input=False):
            print(f"{_variable(wrong['loc'])}: {wrong['msg'].removeprefix('Value error, ')}", file=sys.stderr)  # noqa: T201
    except SecretFilesAreWrong as error:
        print("\n".join(error.reasons), file=sys.stderr)  # noqa: T201
    except SettingsError as error:
        # A list or mapping that is not JSON; only the message has the field's name, and it contains no value.
        field = re.search(r'field "(\w+)"', str(error))
        name = field[1].upper() if field else "settings"
        print(f"{name}: Input should be valid JSON", file=sys.stderr)  # noqa: T201
    raise SystemExit(EXIT_USAGE)


def _words(text: str) -> list[str]:
    return text.replace(",", " ").split()


def _variable(location: tuple[int | str, ...]) -> str:
    """The environment variable behind a pydantic error location; a model-wide rule has no location."""
    return str(location[0]).upper() if location else "settings"
