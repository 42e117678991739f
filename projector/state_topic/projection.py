"""The projection of states: a table like a view's, and what publishes it to the compacted topic."""

from dataclasses import dataclass

from projector.kafka.running import Running
from projector.rebuild.postgres.shadow import Returned
from projector.state_topic.fold import ProductState
from projector.state_topic.kafka.run import PublishingRun
from projector.state_topic.kafka.topic import KafkaStateTopic, StateTopicSettings
from projector.state_topic.postgres import PostgresStates, ProductStateTables, publish_anew
from projector.state_topic.publish import StatePublisher
from projector.stores import Stores
from projector.table_projection import PostgresProjection
from projector.views.postgres.statements import LIVE
from projector.views.postgres.view import Tables
from shared.contract.addresses import state_topic
from shared.kafka.topics import LATEST_PER_KEY, TopicSpec


@dataclass(frozen=True)
class StatesProjection(PostgresProjection[ProductState]):
    """Its topic is made where it is missing, and is the projection's own."""

    def tables(self, stores: Stores, schema: str = LIVE) -> Tables[ProductState]:
        """A row knows the partition of the topic in which its product is."""
        return ProductStateTables(stores.settings.partition_count, schema)

    @property
    def returned(self) -> Returned | None:
        """What the topic has is no longer what the table says: all is published anew."""
        return publish_anew

    def running(self, stores: Stores) -> Running:
        """The subscription wakes the publisher after each batch."""
        spec = self.topic(stores)
        publisher = StatePublisher(
            self.name,
            PostgresStates(stores.read_model, projection=self.name, topic=stores.topic),
            KafkaStateTopic(
                StateTopicSettings(stores.settings.kafka_bootstrap_servers, spec, stores.group(self.name))
            ),
            topic_name=spec.name,
            pause_seconds=stores.settings.state_publish_pause_seconds,
        )
        (subscription,) = super().running(stores).subscriptions
        subscription = subscription._replace(work=PublishingRun(subscription.work, publisher))
        return Running(self.name, [subscription], [publisher], [spec])

    def topic(self, stores: Stores) -> TopicSpec:
        """The compacted topic."""
        settings = stores.settings
        return TopicSpec(
            state_topic(settings.kafka_topic_prefix),
            settings.partition_count,
            settings.kafka_replication_factor,
            configs=LATEST_PER_KEY,
        )
