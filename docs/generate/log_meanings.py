"""What each log event means, in one sentence for whoever reads the log at night.

Where the process names another page or another event, look there next. A test fails while an event of the
source is not here, or one that is here is not in the source.
"""

MEANINGS: dict[str, str] = {
    # every process
    "stopping": "The process was told to stop, and finishes what is under way.",
    "second signal, exiting at once": "It was told to stop twice: what was under way is lost or repeated.",
    "shutdown took too long, cancelling": "What was under way did not end within SHUTDOWN_SECONDS_MAX.",
    "main ignored its cancellation, exiting at once": "It could not be cancelled either: a bug.",
    "main was cancelled from inside": "The process ends without having been told to: a bug.",
    "the process failed": "The process ends because of this error.",
    "measurement failed": "A background measurement fails; its gauges keep their last values. Said once.",
    "retrying after a transient error": "No answer of a server; the first and each tenth attempt is logged.",
    "a secret keeps its last value": "The file of a secret cannot be read again.",
    "TLS keeps its last certificates": "The files of certificates cannot be read again.",
    # both APIs
    "request": "One answered request; a warning if it was slow or got 503, an error if it got another 5xx.",
    "request failed": "A bug: an error that no code expected. The client got 500.",
    "request lines left out": "So many lines `request` were not written: there were too many a second.",
    "the issuer's keys were not fetched": "Tokens are checked with the keys that are known.",
    "the issuer's keys are here again": "The issuer of tokens answers again.",
    "the file of keys is not usable": "Tokens are checked with the keys that were read before.",
    "rate limits are refused by Redis": "Each process counts for itself until Redis accepts the calls.",
    # command API
    "ready for commands": "The command API is started.",
    "operation failed": "A bug: one operation of a batch failed with an error that no code expected.",
    "append failed": "A bug: an append call failed with an unexpected error. Its commands got 500.",
    "append refused by the store": "PostgreSQL refused the data of one command, which got 500.",
    "append connection lost; reading the outcome from the log": "The connection broke during an append call.",
    "append outcome still unknown": "The outcome could not be read; the commands got 503 `outcome-unknown`.",
    "append hint unavailable; readers poll": "The relay is not woken after a commit; polling is slower.",
    "the log has no partition for the next position": "Nothing can be written until a partition is made.",
    "maintenance turn failed": "Partitions are not made and old keys not deleted; tried again in a minute.",
    "expired idempotency keys purged": "Answers older than 24 hours were deleted.",
    # relay and replay
    "this relay is active": "This relay has the lock, and publishes.",
    "published": "A chunk is confirmed by Kafka.",
    "relay interrupted, continues from its cursor": "Publishing starts again; nothing is lost.",
    "relay stopped: an operator must repair the cause; no event is skipped": "Kafka will always refuse this.",
    "log maintenance skipped: the event store is unavailable": "PostgreSQL did not answer the relay.",
    "replaying": "A replay is under way.",
    "Kafka producer did not stop": "It was given up; what it had not sent is sent again by another.",
    "Kafka producer could not be closed": "Its connections end with the process.",
    # query API
    "the cache refused a call": "Redis answers with an error that needs a repair; reads are slower.",
    # projector
    "started": "The projector is started, with these projections.",
    "projecting": "A projection reads these partitions from its checkpoints on.",
    "projected": "A small batch is applied; larger ones are only counted.",
    "projection waits": "A server does not answer; the projection tries again after a pause.",
    "projection stopped": "The projection does not continue by itself; `remedy` says what to do.",
    "partition stopped": "Events are missing in the log: the partition waits, the others continue.",
    "an unknown error lasts": "The event that causes it is looked for, and parked.",
    "event parked": "A record became a dead letter, with its cause; a warning if only an earlier one failed.",
    "fenced, reloading the checkpoints": "Another process has the partitions, or had them meanwhile.",
    "left a consumer group without telling the broker": "Its partitions move when the session times out.",
    "an answer is overdue: reconnecting": "A broker does not answer; the connection is made again.",
    "offsets not committed": "Kafka does not answer; views have their own checkpoints, so nothing is lost.",
    "cannot read the partitions' ends": "The lag of a paused projection is not known.",
    "a round of the consumer's upkeep failed": "A bug in the consumer; it tries again.",
    "a topic has wrong settings": "The projection of this topic stops until the settings are corrected.",
    "cannot read pause requests or store lag": "The read model does not answer; the last request counts.",
    "background work fails": "`effect` says what does not happen until the reason is gone.",
    "cached lists not marked as stale": "Redis did not answer; lists show the change a few seconds later.",
    "dead letters not copied": "Kafka does not take the copies of dead letters; they wait in PostgreSQL.",
    "a retry failed with an unknown error": "The dead letters of this product stay parked.",
    "an attempt failed with an unknown error": "This dead letter stays parked.",
    "operator action": "Somebody paused, retried, discarded or rebuilt something: a line of the audit log.",
    "cannot read the audit log": "Actions are stored, and told later.",
    "waiting for the live view": "A rebuild pauses, because the live view fell behind.",
    "the switch waits for its tables": "A rebuild cannot lock the tables yet, and tries again.",
    # notifications
    "mails attempted": "What became of the mails about one event, if any were sent or put off.",
    "digest attempted": "What became of one digest.",
    "a digest cannot be made": "A bug: its text cannot be made. It is tried again.",
    "sending a mail failed with an unexpected error": "It may have been sent: it waits for an operator.",
    # traces
    "OTEL_BSP_MAX_QUEUE_SIZE is no number above 0; it is %d now": "A wrong setting of OpenTelemetry.",
    "the last spans were not sent within %g s": "The end of some traces is missing.",
}
