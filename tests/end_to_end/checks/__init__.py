"""The checks of the checker, one module each; `tests/end_to_end/checker.py` runs them all.

Independent: nothing in this folder imports the product's code
(`tests/architecture/test_independent_checker.py` proves it). The content of views is checked in `views/`, one
file per view; `view_check.py` says what such a file must have.
"""
