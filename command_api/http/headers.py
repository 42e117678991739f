"""What the request's headers say, and the headers of an answer."""

import hashlib
import re
from urllib.parse import quote
from uuid import UUID

from starlette.requests import Request

from command_api.execute import Answer, Caller, IdempotencyKey
from command_api.http.problems import HttpProblem
from shared.contract.addresses import partition_of
from shared.contract.consistency_token import ConsistencyToken, encode_token
from shared.ops.http.problem import Problem

ANONYMOUS = "anonymous"
KEY_CHARACTERS_MAX = 255
IMPORT_ID_CHARACTERS_MAX = 64
_import_id_text = re.compile(rf"[\x21-\x7e]{{1,{IMPORT_ID_CHARACTERS_MAX}}}")
_etag = re.compile(r'"([\x21\x23-\x7e]*)"')
# A tag may hold commas, so the list is matched whole and never split at them.
_etags = re.compile(rf"[ \t,]*{_etag.pattern}(?:[ \t]*,[ \t,]*(?:{_etag.pattern})?)*[ \t,]*")
_STREAM_VERSION_DIGITS_MAX = 9


def caller_of(request: Request) -> Caller:
    """Who asks. Until authentication is configured everybody is anonymous.

    Raises 400 for a malformed Import-Id.
    """
    scope = request.scope
    return Caller(ANONYMOUS, scope["request_id"], scope["trace"].header, _import_id(request))


def _import_id(request: Request) -> str | None:
    """The import that the request belongs to. A malformed id is refused: its events would go unmarked."""
    given = request.headers.getlist("import-id")
    if not given:
        return None
    if len(given) > 1 or _import_id_text.fullmatch(given[0]) is None:
        detail = f"Import-Id is given once and has 1 to {IMPORT_ID_CHARACTERS_MAX} visible ASCII characters"
        raise HttpProblem(Problem(400, "malformed-import-id", "Malformed Import-Id", detail))
    return given[0]


def versions_wanted(request: Request) -> frozenset[int] | None:
    """The versions in If-Match; None when it is absent or `*`. Raises 400 for weak or unquoted ones."""
    values = request.headers.getlist("if-match")
    if not values:
        return None
    given = ",".join(values).strip()
    if given == "*":
        return None
    if _etags.fullmatch(given) is None:
        detail = 'If-Match takes "*" or a list of quoted strong entity tags, such as "3"'
        raise HttpProblem(Problem(400, "malformed-if-match", "Malformed If-Match", detail))
    texts = _etag.findall(given)
    # A tag that we never gave out is well-formed and matches nothing.
    ours = [text for text in texts if text.isascii() and text.isdecimal() and not text.startswith("0")]
    return frozenset(int(text) for text in ours if len(text) <= _STREAM_VERSION_DIGITS_MAX)


def idempotency_key(request: Request, body: bytes, item: int | None = None) -> IdempotencyKey | None:
    """The hashed key and fingerprint, or None without the header. Raises 400 for an empty or huge key.

    A key belongs to its caller; an item of a batch has the batch's key and its own index.
    """
    given = request.headers.get("idempotency-key")
    if given is None:
        return None
    text = given[1:-1] if len(given) > 1 and given[0] == given[-1] == '"' else given
    if not 1 <= len(text) <= KEY_CHARACTERS_MAX:
        detail = f"Idempotency-Key is 1 to {KEY_CHARACTERS_MAX} characters"
        raise HttpProblem(Problem(400, "malformed-idempotency-key", "Malformed Idempotency-Key", detail))
    scope = request.scope
    asked = (scope["method"], scope["path"], ",".join(request.headers.getlist("if-match")))
    return IdempotencyKey(
        _hash(ANONYMOUS.encode(), text.encode("latin-1", "replace"), b"" if item is None else b"%d" % item),
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
    """What a reader sends to see this write."""
    position = {partition_of(answer.product_id, partition_count): answer.last_position}
    return encode_token(ConsistencyToken(position, answer.product_id, answer.stream_version))


def batch_token(answers: list[Answer], partition_count: int) -> str:
    """What a reader sends to see every write of a batch."""
    positions: dict[int, int] = {}
    for answer in answers:
        partition = partition_of(answer.product_id, partition_count)
        positions[partition] = max(positions.get(partition, 0), answer.last_position)
    return encode_token(ConsistencyToken(positions))


def location(read_url: str, product_id: UUID) -> str:
    """Where the product can be read."""
    return f"{read_url}/v1/products/{quote(str(product_id))}"
