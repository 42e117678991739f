"""The long randomised proof: `make chaos`, described in docs/chaos.md.

Read in this order: `schedule.py` (what will break, from a seed), `installation.py` (two of each process
behind proxies), `faults.py` (how it breaks), `writers.py` and `readers.py` (who looks at it meanwhile),
`run.py` (the course of a run), and the checker in `tests/end_to_end/checker.py`.
"""
