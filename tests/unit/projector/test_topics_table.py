"""deploy/kafka_topics.py has what each part of the projector would make."""

from deploy.kafka_topics import kafka_topics
from projector.parking.kafka import dead_letter_topic
from projector.projections import NAMES
from projector.settings import ProjectorSettings


def test_there_is_a_topic_for_the_dead_letters_of_each_projection_and_for_each_delay_of_mails() -> None:
    settings = ProjectorSettings(  # type: ignore[call-arg]
        _env_file=None, kafka_topic_prefix="shop-", notification_retry_delays="5s,1m"
    )
    names = [spec.name for spec in kafka_topics(settings)]
    assert len(names) == len(set(names))
    assert {dead_letter_topic("shop-products-events", f"shop-{name}") for name in NAMES} <= set(names)
    assert [name for name in names if ".retry." in name] == [
        f"shop-products-events.shop-notifications.retry.{delay}" for delay in ("5s", "1m")
    ]
    assert "shop-products-state" in names
