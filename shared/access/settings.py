"""Settings of access control, for every process with a port.

Access control is off only where nobody else can reach the ports: while a process listens on loopback.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Literal, TypeVar, get_args

from pydantic import Field, field_validator
from pydantic_core.core_schema import ValidationInfo

from shared.access.errors import InvalidKeys
from shared.access.issuer_keys import KeyTimes
from shared.access.key_fetch import is_protected
from shared.access.key_file import read_key_file
from shared.access.keys import read_keys
from shared.access.refusal_log import AddressOf, peer_address
from shared.access.tokens import TokenRules
from shared.ops.development import is_loopback
from shared.ops.http.limits import ConnectionLimits
from shared.ops.http.local_requests import LocalRequests
from shared.ops.settings import ProcessSettings, load_settings

# Signatures with a public key only: with a shared secret (HS256) who checks a token could also make one.
Algorithm = Literal[
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"
]


_KEYS = ("auth_jwks_url", "auth_keys_file", "auth_public_keys")


class OpenToOthers(Exception):
    """Access control is off, and others reach the ports; the text begins with the setting to change."""


class AccessSettings(ProcessSettings):
    """Without AUTH_ISSUER access control is off; keys without it are a mistake.

    AUTH_ISSUER is last, because its check reads the others.
    """

    # An address of keys (JWKS); empty: the one that the issuer's discovery document names.
    auth_jwks_url: str = ""
    # Keys from a file (JWKS or PEM) instead of the issuer's address; it is read again when it changes.
    auth_keys_file: Path | None = None
    # The keys themselves (a JWKS), for an installation that changes them with its other settings.
    auth_public_keys: str = ""
    # One of the audiences in a token must be this.
    auth_audience: str = Field(default="product-catalogue", min_length=1)
    # Allowed signatures, with commas.
    auth_algorithms: str = "RS256,PS256,ES256,EdDSA,Ed25519"
    # How far the issuer's clock may differ from ours.
    auth_leeway_seconds: int = Field(default=30, ge=0, le=300)
    auth_token_bytes_max: int = Field(default=8192, ge=256, le=32_768)
    # How many verified tokens are remembered, and for how long, so that a request costs no signature. A key
    # that the issuer takes back counts for this long, too.
    auth_verified_tokens_max: int = Field(default=10_000, ge=1)
    auth_verified_seconds_max: float = Field(default=60.0, gt=0)
    # Of the issuer's keys: their age at which they are fetched again, the least time between two fetches, how
    # long they count while the issuer is away, and the limit of one fetch.
    auth_keys_refresh_seconds: float = Field(default=300.0, gt=0)
    auth_keys_cool_down_seconds: float = Field(default=10.0, gt=0)
    auth_keys_stale_seconds_max: float = Field(default=86_400.0, gt=0)
    auth_keys_fetch_seconds_max: float = Field(default=5.0, gt=0)
    # The `iss` of tokens; also where the keys are found, if neither an address nor a file of keys is set.
    auth_issuer: str = Field(default="", validate_default=True)

    @field_validator("auth_jwks_url")
    @classmethod
    def _is_protected(cls, url: str) -> str:
        if url and not is_protected(url):
            raise ValueError("must be an https address; http only on loopback")
        return url

    @field_validator("auth_keys_file", mode="before")
    @classmethod
    def _empty_is_none(cls, path: object) -> object:
        return None if path == "" else path

    @field_validator("auth_keys_file")
    @classmethod
    def _has_keys(cls, path: Path | None) -> Path | None:
        try:
            if path is not None:
                read_key_file(path)
        except OSError as error:
            raise ValueError(f"cannot be read: {error.strerror}") from error
        except InvalidKeys as error:
            raise ValueError(str(error)) from error
        return path

    @field_validator("auth_public_keys")
    @classmethod
    def _are_keys(cls, document: str) -> str:
        try:
            if document:
                read_keys(document.encode())
        except InvalidKeys as error:
            raise ValueError(str(error)) from error
        return document

    @field_validator("auth_algorithms")
    @classmethod
    def _are_known(cls, names: str) -> str:
        known = get_args(Algorithm)
        given = _names(names)
        if not given or not set(given) <= set(known):
            raise ValueError(f"must be some of {', '.join(known)}")
        return names

    @field_validator("auth_issuer")
    @classmethod
    def _is_needed(cls, issuer: str, info: ValidationInfo) -> str:
        """Whether it may be empty elsewhere is asked where a port is opened: a migration opens none."""
        keys = [name.upper() for name in _KEYS if info.data.get(name)]
        if keys and not issuer:
            raise ValueError(f"is needed with {keys[0]}: the issuer (iss) of tokens")
        if len(keys) > 1:
            raise ValueError(f"has keys from several places: {', '.join(keys)}")
        if issuer and not keys and not is_protected(issuer):
            raise ValueError("must be an https address (http only on loopback), or have AUTH_KEYS_FILE")
        return issuer

    @property
    def has_access_control(self) -> bool:
        """False: every caller is anonymous and may do everything."""
        return bool(self.auth_issuer)

    @property
    def connection_limits(self) -> ConnectionLimits:
        """Without access control a port serves programs of this machine, and no page of another site."""
        local = None if self.has_access_control else LocalRequests(self.listen_host)
        return replace(super().connection_limits, local=local)

    @property
    def address_of(self) -> AddressOf:
        """How a line about a refused request names its client; a process that knows proxies looks behind
        them.
        """
        return peer_address

    @property
    def token_rules(self) -> TokenRules:
        """What a token must be."""
        return TokenRules(
            issuer=self.auth_issuer,
            audience=self.auth_audience,
            algorithms=_names(self.auth_algorithms),
            leeway_seconds=self.auth_leeway_seconds,
            token_bytes_max=self.auth_token_bytes_max,
        )

    @property
    def key_times(self) -> KeyTimes:
        """How long the issuer's keys count."""
        return KeyTimes(
            refresh=self.auth_keys_refresh_seconds,
            cool_down=self.auth_keys_cool_down_seconds,
            stale_max=self.auth_keys_stale_seconds_max,
        )


A = TypeVar("A", bound=AccessSettings)


def load_listening_settings(cls: type[A]) -> A:
    """`load_settings` for a process with ports; it ends with exit code 2 also if they would be open to
    others.
    """
    return load_settings(cls, _open_ports)


def _open_ports(settings: AccessSettings) -> Iterator[str]:
    try:
        refuse_open_ports(settings)
    except OpenToOthers as error:
        yield str(error)


def refuse_open_ports(settings: AccessSettings) -> None:
    """Raises `OpenToOthers`."""
    if not settings.has_access_control and not is_loopback(settings.listen_host):
        raise OpenToOthers(
            f"AUTH_ISSUER: is needed, because LISTEN_HOST is {settings.listen_host}; without access control "
            "a process listens on loopback only"
        )


def _names(text: str) -> tuple[str, ...]:
    return tuple(name for each in text.split(",") if (name := each.strip()))
