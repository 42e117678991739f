"""Loads a catalogue through our own HTTP API: whatever it may do, any client may do.

`cli` (arguments) > `run` (one file) > `shopify_file`, `ndjson` (file -> products), `delivery` (products ->
answers, by `client`) and `hand_over` (SKUs that products pass on) > `shopify` (rows -> one product, pure).
`seed` invents a catalogue. docs/import.md says what is read and which rules hold.
"""
