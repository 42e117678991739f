"""The settings of every process that uses Redis."""

from functools import cached_property
from typing import Annotated, Self

from pydantic import AfterValidator, model_validator

from shared.ops.development import DevelopmentDefault
from shared.ops.secret import Secret
from shared.ops.settings import ProcessSettings
from shared.ops.tls import ReadableFile, TlsFiles
from shared.ops.unverified_servers import ServerAddress
from shared.redis.address import RedisAddress, checked_redis_url, unverified_hosts


def _checked(url: Secret) -> Secret:
    checked_redis_url(url.read())
    return url


class RedisSettings(ProcessSettings):
    """`rediss://user:password@host:port/0` is TLS, always verified; the files are for TLS alone."""

    redis_url: DevelopmentDefault[
        Annotated[
            Secret, AfterValidator(_checked), ServerAddress(lambda url, _: unverified_hosts(url.read()))
        ]
    ] = Secret("redis://127.0.0.1:16379/0")
    redis_ca_file: ReadableFile = None
    redis_certificate_file: ReadableFile = None
    redis_key_file: ReadableFile = None

    @model_validator(mode="after")
    def _redis_files_are_used(self) -> Self:
        _redis_tls(self).check()
        return self

    @cached_property
    def redis_address(self) -> RedisAddress:
        """The address, and how TLS is made with it."""
        return RedisAddress(self.redis_url, _redis_tls(self))


def _redis_tls(settings: RedisSettings) -> TlsFiles:
    return TlsFiles(settings.redis_ca_file, settings.redis_certificate_file, settings.redis_key_file)
