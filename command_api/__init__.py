"""Takes commands over HTTP and appends what they decide to the event log; the relay forwards the log.

The path of one command: http/routes.py -> executing/execute.py (load, fold, decide, append)
-> domain/decide.py -> postgres/event_store.py -> postgres/migrations (the append function).
Beside it: relay/ (the log to Kafka), replay/ (a range of the log once more), importer/ (catalogue files).
"""
