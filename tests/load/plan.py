"""What a run does: arrival rates by kind of request, how long, and which bounds make it invalid."""

from collections.abc import Mapping
from dataclasses import dataclass

# Of the commands per second. Most writes of a catalogue are new prices.
COMMAND_SHARES: Mapping[str, float] = {"create": 0.2, "price": 0.4, "details": 0.3, "publish": 0.1}
# Of the reads per second. Most readers come from a link to a product.
READ_SHARES: Mapping[str, float] = {"by-id": 0.7, "by-sku": 0.1, "by-slug": 0.05, "list": 0.15}
IMPORT = "import"
TOKEN_READ = "token-read"


@dataclass(frozen=True)
class Plan:
    """`rates`: arrivals per second by kind; they are independent Poisson processes.

    `token_reads`: the share of commands whose answer's Consistency-Token is sent with a read at once. `seed`
    repeats the schedule and the choice of products; the answers, and so the products, differ.
    """

    seconds: float
    rates: Mapping[str, float]
    seed: int
    token_reads: float = 0.2
    products: int = 500
    import_products: int = 50
    answer_seconds_max: float = 30.0
    connections_max: int = 4000
    late_milliseconds_max: float = 50.0


def rates(*, commands: float, reads: float, imports: float) -> dict[str, float]:
    """Arrivals per second by kind; a kind that never arrives is left out."""
    every = {
        **{kind: commands * share for kind, share in COMMAND_SHARES.items()},
        **{kind: reads * share for kind, share in READ_SHARES.items()},
        IMPORT: imports,
    }
    return {kind: rate for kind, rate in every.items() if rate > 0}
