"""Delivers events to webhook endpoints by Standard Webhooks 1.0 (docs/webhooks.md).

It reads the log and not the topic: so a replay sends nothing, each endpoint has a place of its own, and
without endpoints there is no work.
"""
