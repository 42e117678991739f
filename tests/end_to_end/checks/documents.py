"""Compares a served, cached or stored document with the fold."""

from collections.abc import Iterator

from tests.end_to_end.fold import Document, parsed, same


def document_problems(where: str, body: bytes, wanted: Document) -> Iterator[str]:
    """Not the same as JSON, or not to be read at all."""
    document = {name: value for name, value in wanted.items() if name != "position"}
    try:
        served = parsed(body)
    except (ValueError, KeyError, AssertionError) as error:
        yield f"{where} cannot be read: {error!r}"
        return
    if not same(served, document):
        yield f"{where} is {served}, not {document}"
