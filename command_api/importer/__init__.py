"""Imports a catalogue through our public HTTP API; it uses nothing that other clients cannot use.

`cli` (arguments) > `run` (one file) > `shopify_file`, `ndjson` (file -> products), `delivery` (products ->
answers, by `client`) and `hand_over` (SKUs that products pass on) > `shopify` (rows -> one product, pure).
`seed` invents a catalogue. The columns and rules are in docs/import.md.
"""
