"""The address of the console, and what its page may load: its own files and the API, nothing of others."""

from collections.abc import Mapping

CONSOLE_PATH = "/console"
CONSOLE_POLICIES: Mapping[bytes, bytes] = {
    b"/console": b"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    b"img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}
"""The Content-Security-Policy by path. Images of products are of other hosts, so they are not shown."""
