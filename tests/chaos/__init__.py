"""The long randomised test: `make chaos`, described in docs/chaos.md.

Read in this order: `schedule.py` (the faults, from a seed), `installation.py` (two of each process behind
proxies), `faults.py` (how faults are made), `writers.py` and `readers.py` (the clients), `run.py` (the steps
of a run), and the checker in `tests/end_to_end/checker.py`.
"""
