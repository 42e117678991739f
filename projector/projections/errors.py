"""The one way in which a fold fails."""


class HistoryDoesNotFold(ValueError):
    """The event cannot follow what came before: an event of a product that is not there, an unknown SKU.

    The log's writer never appends such a history, so it is a defect, and never skipped.
    """
