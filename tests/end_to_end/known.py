"""The clients' shared knowledge of products: everything that was acknowledged to any client."""

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
    """The SKU of a variant that no client removes."""
    slug: str
    version: int
    token: str
    is_upserted: bool = False
    more_skus: list[str] = field(default_factory=list)
    may_be_gone: bool = False
    """A client has sent its deletion."""
    is_gone: bool = False
    """Its deletion was acknowledged to a client; the token is from that answer."""
    settled_version: int = 0
    """Every view has had it, so that a read without a token must show it, too."""
    is_settled_gone: bool = False
    """Every view has had its deletion."""

    def learn(self, version: int, token: str) -> None:
        """From an answer to any client."""
        if version > self.version:
            self.version, self.token = version, token


class Known:
    """All live products, and the last deleted ones."""

    def __init__(self) -> None:
        self.products: list[KnownProduct] = []
        self.graves: deque[KnownProduct] = deque(maxlen=_GRAVES_MAX)
        self.settled: list[KnownProduct] = []
        """Those that were live at the last `settle`."""
        self.by_slug: dict[str, KnownProduct] = {}
        """The upserted ones."""
        self.doomed: set[str] = set()
        """Ids whose deletion was sent."""

    def add(self, product: KnownProduct) -> None:
        self.products.append(product)
        if product.is_upserted:
            self.by_slug[product.slug] = product

    def choose(self, chance: random.Random) -> KnownProduct | None:
        """A random product, often a recent one, so that clients use the same ones; None if there is none."""
        if not self.products:
            return None
        if chance.random() < 0.7:
            return chance.choice(self.products[-_RECENT:])
        return chance.choice(self.products)

    def deletion_is_sent(self, product: KnownProduct) -> None:
        """From now on no client writes to it, and readers may not find it."""
        if not product.may_be_gone:
            product.may_be_gone = True
            self.doomed.add(product.product_id)
            self.products.remove(product)
            if product.is_upserted:
                self.by_slug.pop(product.slug, None)

    def settle(self) -> None:
        """All views have applied all that was acknowledged."""
        self.settled = [*self.products]
        for product in self.settled:
            product.settled_version = product.version
        for grave in self.graves:
            grave.is_settled_gone = True

    def is_deleted(self, product: KnownProduct, token: str) -> None:
        """The deletion was acknowledged."""
        product.token, product.is_gone = token, True
        self.graves.append(product)
