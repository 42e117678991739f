"""The bytes of a hot read's answer. Most of its lines depend on the document or page alone: an entry of the
in-process cache keeps them.
"""

from collections.abc import Sequence

from query_api.products.http.hot_head import HotHead
from query_api.products.http.product_answer import Headers, matches, product_answer
from query_api.products.kept_pages import KeptPage
from query_api.products.local_cache import LocalEntry
from query_api.products.ports import CacheResult
from shared.access.http.layer import private_headers
from shared.contract.cached_document import CachedDocument
from shared.ops.http.answer_headers import AnswerHeaders, HeaderLines
from shared.ops.http.request_context import request_id_of
from shared.rate_limits.budget import Decision
from shared.rate_limits.limits import Limits

_always = HeaderLines()
_CACHES: tuple[CacheResult, ...] = ("hit", "miss")
_OF_A_DOCUMENT = frozenset({b"etag", b"content-length"})
_OK, _NOT_MODIFIED = b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 304 Not Modified\r\n"


class HotAnswers:
    """For all connections of a port. `is_private`: access control is on."""

    def __init__(self, rates: Limits, *, is_private: bool) -> None:
        self._rates = rates
        self._is_private = is_private
        # Of each 200: to join them for every answer takes longer than all other lines.
        self._constants = {cache: self._constant_lines(cache) for cache in _CACHES}

    def answer(
        self,
        head: HotHead,
        document: CachedDocument,
        entry: LocalEntry | None,
        always: Headers,
        answer_headers: AnswerHeaders,
        decisions: Sequence[Decision],
    ) -> tuple[int, bytes]:
        """Status and bytes."""
        tags = head.tags
        if tags is not None and matches(tags, b'"%d"' % document.stream_version):
            status, line, body = 304, _NOT_MODIFIED, b""
            lines = self._unmodified(document, tags, head.cache)
        else:
            status, line, body = 200, _OK, document.body if head.method == b"GET" else b""
            lines = (entry.head if entry is not None else b"") or self._lines(document, head.cache)
            if entry is not None:
                entry.head = lines
        return status, self._joined(head, (line, lines, body), always, answer_headers, decisions)

    def of_page(
        self,
        head: HotHead,
        page: KeptPage,
        age_seconds: int,
        always: Headers,
        answer_headers: AnswerHeaders,
        decisions: Sequence[Decision],
    ) -> bytes:
        """A page of a list."""
        if not page.lines:
            page.lines = self._joined_lines([*page.headers])
        lines = b"%bage: %d\r\n" % (page.lines, age_seconds)
        body = page.body if head.method == b"GET" else b""
        return self._joined(head, (_OK, lines, body), always, answer_headers, decisions)

    def _joined(
        self,
        head: HotHead,
        content: tuple[bytes, bytes, bytes],
        always: Headers,
        answer_headers: AnswerHeaders,
        decisions: Sequence[Decision],
    ) -> bytes:
        line, lines, body = content
        request_id = b"x-request-id: %b\r\n" % request_id_of(head.request_id)
        parts = [line, _always.of(always), lines, head.extra, request_id]
        origins = answer_headers.origins
        if origins is not None and head.origin is not None:
            parts.append(origins.lines_for(head.origin))
        if decisions:
            parts.append(self._rates.lines(decisions))
            self._rates.count(decisions)
        if not head.is_kept_alive:
            parts.append(b"connection: close\r\n")
        parts += (b"\r\n", body)
        return b"".join(parts)

    def _constant_lines(self, cache: CacheResult) -> bytes:
        _, headers, _ = product_answer(0, b"", cache, is_head=False, if_none_match=None)
        return self._joined_lines([pair for pair in headers if pair[0] not in _OF_A_DOCUMENT])

    def _lines(self, document: CachedDocument, cache: CacheResult) -> bytes:
        of_a_document = document.stream_version, self._constants[cache], len(document.body)
        return b'etag: "%d"\r\n%bcontent-length: %d\r\n' % of_a_document

    def _unmodified(self, document: CachedDocument, tags: bytes, cache: CacheResult) -> bytes:
        _, headers, _ = product_answer(
            document.stream_version, document.body, cache, is_head=False, if_none_match=tags
        )
        return self._joined_lines(headers)

    def _joined_lines(self, headers: Headers) -> bytes:
        if self._is_private:
            headers = private_headers(headers)
        return b"".join(b"%b: %b\r\n" % pair for pair in headers)
