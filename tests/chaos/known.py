"""What the clients of a run know of the products, together: what was acknowledged, to anybody."""

import random
from collections import deque
from dataclasses import dataclass, field

_GRAVES_MAX = 200
_RECENT = 60


@dataclass(eq=False)
class KnownProduct:
    """One product. `version` and `token` belong together and only rise: the newest that was acknowledged."""

    product_id: str
    sku: str
    """Of a variant that nobody removes."""
    slug: str
    version: int
    token: str
    is_upserted: bool = False
    more_skus: list[str] = field(default_factory=list)
    may_be_gone: bool = False
    """Somebody has sent its deletion."""
    is_gone: bool = False
    """Somebody was told that it is deleted; the token is that answer's."""

    def learn(self, version: int, token: str) -> None:
        """From an answer to any client."""
        if version > self.version:
            self.version, self.token = version, token


class Known:
    """All live products, and the last deleted ones."""

    def __init__(self) -> None:
        self.products: list[KnownProduct] = []
        self.graves: deque[KnownProduct] = deque(maxlen=_GRAVES_MAX)
        self.by_slug: dict[str, KnownProduct] = {}
        """The upserted ones."""
        self.doomed: set[str] = set()
        """Ids whose deletion was sent."""

    def add(self, product: KnownProduct) -> None:
        self.products.append(product)
        if product.is_upserted:
            self.by_slug[product.slug] = product

    def choose(self, chance: random.Random) -> KnownProduct | None:
        """Often a recent one, so that clients meet on it; None where there is none."""
        if not self.products:
            return None
        if chance.random() < 0.7:
            return chance.choice(self.products[-_RECENT:])
        return chance.choice(self.products)

    def deletion_is_sent(self, product: KnownProduct) -> None:
        """From now on nobody writes to it any more, and readers may miss it."""
        if not product.may_be_gone:
            product.may_be_gone = True
            self.doomed.add(product.product_id)
            self.products.remove(product)
            if product.is_upserted:
                self.by_slug.pop(product.slug, None)

    def is_deleted(self, product: KnownProduct, token: str) -> None:
        """The deletion was acknowledged."""
        product.token, product.is_gone = token, True
        self.graves.append(product)
