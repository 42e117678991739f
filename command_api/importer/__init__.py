"""Loads a catalogue through our own HTTP API: whatever it may do, any client may do.

`cli` (arguments) > `run` (one file: read, send, count) > `shopify_file`, `ndjson` (file -> products)
and `client` (products -> answers) > `shopify` (rows -> one product, pure). `seed` invents a catalogue.
"""
