"""The product document of the table and the cache. The fold is in the contract: the query API folds, too."""

from projector.applying.ports import Fold
from shared.contract.product_fold import EVENT_TYPES, apply_event, skip_event

FOLD = Fold(EVENT_TYPES, apply_event, skip_event)
