"""`given(history).when(command).then(events)` or `.then_refused(Error)`: the form of every domain test.

`then` also folds the events, asks the same again (nothing may change, where asking twice is not a refusal),
and sends every event through the codec; `then_refused` asks twice, because a refusal may not change anything.
"""

from dataclasses import dataclass
from functools import reduce

import pytest

from command_api.domain.commands import Command, CreateProduct, DeleteProduct, RemoveVariant
from command_api.domain.decide import decide
from command_api.domain.errors import Refused
from command_api.domain.product import Product, evolve
from shared.contract.codec import decode_event, encode_event
from shared.contract.events import ProductEvent

# Done once, these name nothing that could be done again.
_NOT_REPEATABLE = (CreateProduct, DeleteProduct, RemoveVariant)


def given(*history: ProductEvent) -> "Given":
    """A product with this past; without events there is none."""
    return Given(reduce(evolve, history, None))


@dataclass(frozen=True)
class Given:
    state: Product | None

    def when(self, command: Command) -> "When":
        return When(self.state, command)


@dataclass(frozen=True)
class When:
    state: Product | None
    command: Command

    def then(self, *expected: ProductEvent) -> Product | None:
        """Exactly these events; answers the state after them."""
        decided = decide(self.command, self.state)
        assert decided == list(expected)
        assert decide(self.command, self.state) == decided
        for event in decided:
            assert decode_event(*encode_event(event)) == event
            assert type(decode_event(*encode_event(event))) is type(event)
        after = reduce(evolve, decided, self.state)
        if not isinstance(self.command, _NOT_REPEATABLE):
            assert decide(self.command, after) == []
        return after

    def then_nothing(self) -> None:
        """The product is like that already."""
        self.then()

    def then_refused(self, error: type[Refused]) -> Refused:
        """Refused with exactly this, twice; answers the refusal."""
        for _ in range(2):
            with pytest.raises(Refused) as refused:
                decide(self.command, self.state)
            assert type(refused.value) is error
            assert str(refused.value)
        return refused.value
