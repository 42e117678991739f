"""What any answer of any port must have, whoever gave it."""

from collections.abc import Mapping

_ALWAYS = {"x-content-type-options": "nosniff", "referrer-policy": "no-referrer"}
STRICT_POLICY = "default-src 'none'; frame-ancestors 'none'"
_NAMES_SOFTWARE = ("server", "x-powered-by", "via")


def must_be_protected(status: int, headers: Mapping[str, str], *, is_page: bool = False) -> None:
    """The headers that protect browsers, and nothing that names the software."""
    assert headers.items() >= _ALWAYS.items(), (status, headers)
    policy = headers["content-security-policy"]
    assert is_page or policy == STRICT_POLICY, (status, policy)
    assert "unsafe" not in policy, policy
    assert "frame-ancestors 'none'" in policy, policy
    assert not [name for name in _NAMES_SOFTWARE if name in headers], headers
    if status >= 400:
        assert headers["cache-control"] == "no-store", (status, headers)
        assert headers["content-type"] == "application/problem+json", (status, headers)
    if status in (429, 503):
        assert int(headers["retry-after"]) >= 1, headers
