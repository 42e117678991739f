"""The projection of states: a table like a view's, and its publisher to the compacted topic."""

from dataclasses import dataclass

from projector.kafka.running import Running
from projector.rebuild.postgres.shadow import Returned
from projector.reposition.postgres.places import Also
from projector.settings import ProjectorSettings
from projector.state_topic.fold import ProductState
from projector.state_topic.kafka.run import PublishingRun
from projector.state_topic.kafka.topic import KafkaStateTopic, StateTopicSettings
from projector.state_topic.postgres import PostgresStates, ProductStateTables, publish_anew
from projector.state_topic.publish import StatePublisher
from projector.stores import Stores
from projector.table_projection import PostgresProjection
from projector.views.postgres.statements import LIVE
from projector.views.postgres.tables import Tables
from shared.contract.addresses import state_topic
from shared.kafka.topics import LATEST_PER_KEY, TopicSpec
from shared.ops.concurrency.burst_pace import Pauses


@dataclass(frozen=True)
class StatesProjection(PostgresProjection[ProductState]):
    """The topic is the projection's own and is created if it is missing."""

    def tables(self, stores: Stores, schema: str = LIVE) -> Tables[ProductState]:
        """Each row has the partition of its product in the topic."""
        return ProductStateTables(stores.settings.partition_count, schema)

    @property
    def returned(self) -> Returned | None:
        """The topic no longer has the table's states: all are published again."""
        return publish_anew

    @property
    def placed_too(self) -> Also | None:
        """Kafka may have lost the topic of states, too: all are published again."""
        return publish_anew

    def running(self, stores: Stores) -> Running:
        """After each batch the subscription wakes the publisher."""
        spec = self.topic(stores.settings)
        publisher = StatePublisher(
            self.name,
            PostgresStates(stores.read_model, projection=self.name, topic=stores.topic),
            KafkaStateTopic(StateTopicSettings(stores.settings.kafka_servers, spec, stores.group(self.name))),
            topic_name=spec.name,
            pauses=Pauses(
                stores.settings.state_publish_pause_seconds, stores.settings.state_publish_pause_seconds_max
            ),
        )
        (subscription,) = super().running(stores).subscriptions
        subscription = subscription._replace(work=PublishingRun(subscription.work, publisher))
        return Running(self.name, [subscription], [publisher], [spec])

    def topic(self, settings: ProjectorSettings) -> TopicSpec:
        """The compacted topic."""
        return TopicSpec(
            state_topic(settings.kafka_topic_prefix),
            settings.partition_count,
            settings.kafka_replication_factor,
            configs=LATEST_PER_KEY,
        )
