"""Recognises files that are not UTF-8 text by their first bytes, before anything is sent."""

from command_api.importer.errors import FileUnreadable

BOM = b"\xef\xbb\xbf"
_STARTS = (
    (b"\xff\xfe", "the file is UTF-16 (or UTF-32); save it as UTF-8"),
    (b"\xfe\xff", "the file is UTF-16; save it as UTF-8"),
    (b"PK\x03\x04", "the file is a spreadsheet or a ZIP archive; save its table as CSV (UTF-8)"),
    (b"\xd0\xcf\x11\xe0", "the file is an old Excel workbook; save its table as CSV (UTF-8)"),
    (b"\x1f\x8b", "the file is compressed with gzip; decompress it first"),
)


def must_be_text(start: bytes) -> None:
    """`start`: the first bytes of the file, at least 4 if it has so many. Raises `FileUnreadable`."""
    for known, said in _STARTS:
        if start.startswith(known):
            raise FileUnreadable(said)
    if b"\0" in start[:2]:
        # Every second byte of ASCII text is zero in UTF-16, with or without a byte order mark.
        raise FileUnreadable("the file is UTF-16 without a byte order mark; save it as UTF-8")


def without_marks(start: bytes) -> bytes:
    """Removes all byte order marks: files that went through two tools have two."""
    while start.startswith(BOM):
        start = start[len(BOM) :]
    return start
