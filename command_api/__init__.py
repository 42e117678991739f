"""Takes commands over HTTP and appends what they decide to the event log; the relay forwards the log.

The path of one command: http/routes.py -> execute.py (load, fold, decide, append)
-> domain/decide.py -> postgres/event_store.py -> postgres/migrations (the append function).
"""
