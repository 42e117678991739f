"""The settings of every process that uses OpenSearch."""

from functools import cached_property
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from shared.ops.secret import NO_SECRET, Secret
from shared.ops.settings import ProcessSettings
from shared.ops.tls import SYSTEM_AUTHORITIES, ReadableFile, TlsFiles
from shared.ops.unverified_servers import ServerAddress
from shared.search.opensearch.address import SearchAddress, checked_search_url, unverified_hosts

INDEX_PREFIX = "products-search"


def _checked(url: Secret) -> Secret:
    checked_search_url(url.read())
    return url


class SearchServerSettings(ProcessSettings):
    """Without `search_url` no OpenSearch is used. The files are for `https://`, which is always verified."""

    search_url: Annotated[
        Secret, AfterValidator(_checked), ServerAddress(lambda url, _: unverified_hosts(url.read()))
    ] = NO_SECRET
    search_ca_file: ReadableFile = None
    search_certificate_file: ReadableFile = None
    search_key_file: ReadableFile = None
    search_index_prefix: str = Field(default=INDEX_PREFIX, pattern=r"^[a-z0-9][a-z0-9_.-]{0,99}$")
    """How the names of the index and its alias begin: installations that share a cluster need one each."""

    @model_validator(mode="after")
    def _search_files_are_used(self) -> Self:
        """A setting that would have no effect is a mistake."""
        files = _search_tls(self)
        if files != SYSTEM_AUTHORITIES and not self.search_url.read().startswith("https:"):
            raise ValueError("SEARCH_CA_FILE and the like need a SEARCH_URL that begins with https://")
        files.check()
        return self

    @cached_property
    def search_address(self) -> SearchAddress | None:
        """The address, and how TLS is made with it; None: there is no OpenSearch."""
        return SearchAddress(self.search_url, _search_tls(self)) if self.search_url else None


def _search_tls(settings: SearchServerSettings) -> TlsFiles:
    return TlsFiles(settings.search_ca_file, settings.search_certificate_file, settings.search_key_file)
