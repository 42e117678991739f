"""Reads all pages of a tour, and says of each that goes wrong where."""

from tests.documents.fresh_copy import FreshCopy
from tests.documents.reader import PageIsWrong, Reader
from tests.documents.tours import Tour


def read_tour(tour: Tour, copy: FreshCopy) -> None:
    """Raises `PageIsWrong` with the first wrong place of each page."""
    reader = Reader(copy)
    wrong: list[str] = []
    try:
        if tour.options is not None:
            reader.start(tour.options, tour.settings)
        for stop in tour.stops:
            try:
                reader.read(stop)
            except PageIsWrong as found:
                wrong.append(str(found))
    finally:
        reader.stop()
    if wrong:
        raise PageIsWrong("\n\n".join(wrong))
