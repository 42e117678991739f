"""Schemas of the operators' custom resources, kept here because `kubernetes-validate` knows only core kinds.

`stored/` is written by `python -m tests.deploy.schemas`, never by hand; `stored/lock.json` says where each
file comes from.
"""
