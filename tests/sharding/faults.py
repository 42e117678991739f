"""Mistakes to plant into the protocol, so that a test can see that they are found."""

from enum import Flag, auto


class Faults(Flag):
    """Mistakes that a protocol of this kind can have."""

    NONE = 0
    RELEASES_BY_TIME_ALONE = auto()
    LOOKS_BEFORE_IT_FENCES = auto()
    APPENDS_WITHOUT_ITS_CLAIM = auto()
    CONFIRMS_BEFORE_THE_APPEND = auto()
    LOOKS_BEFORE_IT_READS_THE_ROW = auto()
    ABANDONS_WITHOUT_LOOKING = auto()
    NO_OPEN_CLAIM_FOR_A_RELEASE = auto()
    POSITIONS_ARE_NOT_RAISED = auto()
    ANSWERS_WITHOUT_LOOKING = auto()
    A_KEY_HAS_NO_HOME = auto()
    REFUSES_ITS_OWN_COMMAND = auto()
    LEAVES_A_PENDING_ROW_TO_OTHERS = auto()
    THE_KEY_OF_AN_UPSERT_IS_NO_NAME = auto()
