"""A second join in one generation is another process with our name; a rebalance is not."""

from types import SimpleNamespace

import pytest
from structlog.testing import capture_logs

from projector.kafka.named_member import NamedMember


class Clock:
    """Monotonic seconds that a test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def joined(generation: int, member_id: str) -> SimpleNamespace:
    return SimpleNamespace(generation=generation, member_id=member_id)


@pytest.mark.parametrize(
    ("name", "joins"),
    [
        ("one", [(1, "a")]),
        ("one", [(1, "a"), (2, "a")]),
        ("one", [(1, "a"), (2, "b")]),
        ("one", [(1, "a"), (1, "a")]),
        ("", [(1, "a"), (1, "b")]),
    ],
)
def test_a_usual_join_is_no_trouble(name: str, joins: list[tuple[int, str]]) -> None:
    member = NamedMember("product_view", name)
    for each in joins:
        member.joined(joined(*each))
    assert member.trouble() is None


def test_another_process_with_our_name_is_told_while_it_goes_on_and_logged_once() -> None:
    clock = Clock()
    member = NamedMember("product_view", "one", clock=clock)
    with capture_logs() as lines:
        for number in range(5):
            member.joined(joined(1, f"a{number}"))
            clock.now += 59
            if number:
                assert "GROUP_MEMBER_NAME, one" in (member.trouble() or "")
    assert [(line["log_level"], line["member_name"]) for line in lines] == [("critical", "one")]
    clock.now += 2
    assert member.trouble() is None
