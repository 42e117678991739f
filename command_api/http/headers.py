"""Reads the headers of a request, and makes the headers of an answer."""

import hashlib
import re
from collections.abc import Sequence
from urllib.parse import quote
from uuid import UUID

from command_api.executing.caller import Caller
from command_api.executing.request import Answer, IdempotencyKey
from command_api.http.given import Given
from command_api.http.problems import HttpProblem
from shared.access.http.bearer import scope_refusal
from shared.access.scopes import Scope
from shared.contract.addresses import partition_of
from shared.contract.consistency_token import ConsistencyToken, encode_token
from shared.ops.http.entity_tags import wanted_tags
from shared.ops.http.problem import Problem
from shared.ops.http.request_context import ANONYMOUS

KEY_CHARACTERS_MAX = 255
_PRECONDITIONS = tuple(
    (name, name.lower().encode()) for name in ("If-Match", "If-None-Match", "If-Unmodified-Since")
)
IMPORT_ID_CHARACTERS_MAX = 64
_import_id_text = re.compile(rf"[\x21-\x7e]{{1,{IMPORT_ID_CHARACTERS_MAX}}}")
_STREAM_VERSION_DIGITS_MAX = 9


def caller_of(given: Given) -> Caller:
    """The caller, whom the events name as their actor; anonymous while access control is off.

    Raises 400 for a malformed Import-Id, and 403 if the token may not import.
    """
    context = given.context
    return Caller(actor_of(given), context.request_id, context.trace.header, _import_id(given))


def actor_of(given: Given) -> str:
    """The subject of the token."""
    return ANONYMOUS if given.caller is None else given.caller.subject


def require(given: Given, scope: Scope) -> None:
    """Raises 403 if the token lacks a scope that the route alone does not need."""
    if given.caller is not None and not given.caller.may(scope):
        refused = scope_refusal(scope)
        raise HttpProblem(refused.problem, refused.headers)


def _import_id(given: Given) -> str | None:
    """The import of the request. A malformed id is refused, because its events would not be marked."""
    values = given.values(b"import-id")
    if not values:
        return None
    import_id = import_id_of(values[0] if len(values) == 1 else "")
    require(given, Scope.PRODUCTS_IMPORT)
    return import_id


def import_id_of(text: str) -> str:
    """The same text. Raises 400 if it is no id of an import."""
    if _import_id_text.fullmatch(text) is None:
        detail = f"Import-Id is given once and has 1 to {IMPORT_ID_CHARACTERS_MAX} visible ASCII characters"
        raise HttpProblem(Problem(400, "malformed-import-id", "Malformed Import-Id", detail))
    return text


def versions_wanted(given: Given) -> frozenset[int] | None:
    """The versions in If-Match; None when it is absent or `*`. Raises 400 for weak or unquoted ones."""
    try:
        texts = wanted_tags(given.values(b"if-match"))
    except ValueError as error:
        problem = Problem(400, "malformed-if-match", "Malformed If-Match", f"If-Match {error}")
        raise HttpProblem(problem) from error
    if texts is None:
        return None
    # A tag that we never sent is well-formed and matches no version.
    ours = [text for text in texts if text.isascii() and text.isdecimal() and not text.startswith("0")]
    return frozenset(int(text) for text in ours if len(text) <= _STREAM_VERSION_DIGITS_MAX)


def must_be_new(given: Given) -> bool:
    """Whether `If-None-Match: *` requires a new variant. Raises 400 for entity tags: If-Match is for
    versions.
    """
    values = given.values(b"if-none-match")
    if values and ",".join(values).strip() != "*":
        detail = "a write takes If-None-Match: * only; name the version that you know in If-Match"
        raise HttpProblem(Problem(400, "malformed-if-none-match", "Malformed If-None-Match", detail))
    return bool(values)


def refuse_preconditions(given: Given, supported: Sequence[str]) -> None:
    """Raises 400 for an unsupported precondition: the caller would think that it guards the write.

    If-Modified-Since and If-Range do not apply to writes; RFC 9110 (13.1.3, 13.1.5) requires that they are
    ignored.
    """
    for name, sent_name in _PRECONDITIONS:
        if given.has(sent_name) and name not in supported:
            instead = (
                f"send {' or '.join(supported)}" if supported else "an operation of a batch has if_version"
            )
            detail = f"{name} is not supported here; {instead}"
            raise HttpProblem(Problem(400, "precondition-not-supported", "Unsupported precondition", detail))


def idempotency_key(given: Given, body: bytes, item: int | None = None) -> IdempotencyKey | None:
    """The hashed key and fingerprint, or None without the header. Raises 400 for an empty or huge key.

    A key belongs to its caller; an item of a batch has the batch's key and its own index.
    """
    values = given.values(b"idempotency-key")
    if not values:
        return None
    first = values[0]
    text = first[1:-1] if len(first) > 1 and first[0] == first[-1] == '"' else first
    if not 1 <= len(text) <= KEY_CHARACTERS_MAX:
        detail = f"Idempotency-Key is 1 to {KEY_CHARACTERS_MAX} characters"
        raise HttpProblem(Problem(400, "malformed-idempotency-key", "Malformed Idempotency-Key", detail))
    asked = [given.method, given.path, ",".join(given.values(b"if-match"))]
    # Only if it is sent, so that a retry after an update of the service has the same fingerprint as before.
    asked += given.values(b"if-none-match")[:1]
    return IdempotencyKey(
        _hash(
            actor_of(given).encode(),
            text.encode("latin-1", "replace"),
            b"" if item is None else b"%d" % item,
        ),
        _hash(*(part.encode() for part in asked), body),
    )


def _hash(*parts: bytes) -> UUID:
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        digest.update(b"%d:" % len(part))
        digest.update(part)
    return UUID(bytes=digest.digest())


def etag(stream_version: int) -> str:
    """The strong entity tag of a version."""
    return f'"{stream_version}"'


def token(answer: Answer, partition_count: int) -> str:
    """The consistency token of this write."""
    position = {partition_of(answer.product_id, partition_count): answer.last_position}
    return encode_token(ConsistencyToken(position, answer.product_id, answer.stream_version))


def batch_token(answers: list[Answer], partition_count: int) -> str:
    """The consistency token of all writes of a batch."""
    positions: dict[int, int] = {}
    for answer in answers:
        partition = partition_of(answer.product_id, partition_count)
        positions[partition] = max(positions.get(partition, 0), answer.last_position)
    return encode_token(ConsistencyToken(positions))


def location(read_url: str, product_id: UUID) -> str:
    """The address at which the product can be read."""
    return f"{read_url}/v1/products/{quote(str(product_id))}"
