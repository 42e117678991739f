"""Writes schemas, AsyncAPI document, tables of docs/ and Grafana's boards, so that they cannot drift.

`make docs` runs it; a test fails while the files differ from what it would write. Why it lives here, and what
may change in a schema: docs/decisions/0010-generated-event-schemas.md.
"""
