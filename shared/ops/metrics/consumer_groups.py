"""Relay: consumer groups as the broker sees them, so that a dead projector, or a dead subscriber, shows.

The projector's own lag disappears with the projector. The relay asks the broker instead. Groups of other
services on our topics are included; at most CONSUMER_GROUPS_MAX are shown.
"""

from shared.ops.metrics.declare import Label, gauge

_GROUP = Label(
    "group", "the consumer group: a projection's name with the installation's prefix, or a subscriber's"
)
_TOPIC = Label("topic", "one of our topics")

GROUP_LAG_EVENTS = gauge(
    "consumer_group_lag_events",
    "records",
    "Records that the group has not committed, over all partitions of the topic.",
    _GROUP,
    _TOPIC,
)
GROUP_OLDEST_WAITING_SECONDS = gauge(
    "consumer_group_oldest_waiting_seconds",
    "seconds",
    "Age of the oldest event that the group has not committed; 0 if there is none.",
    _GROUP,
    _TOPIC,
)
GROUP_MEMBERS = gauge(
    "consumer_group_members", "consumers", "Consumers in the group. 0: nobody reads for it.", _GROUP
)
GROUPS_LEFT_OUT = gauge(
    "consumer_groups_left_out",
    "groups",
    "Groups on the broker that are not shown, because there are more than CONSUMER_GROUPS_MAX.",
)
