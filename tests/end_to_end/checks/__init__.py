"""The checks of the one checker, a module each; `tests/end_to_end/checker.py` runs them all.

Independent: nothing here or beneath imports the product's code, which
`tests/architecture/test_independent_checker.py` sees to. What a view holds is checked in `views/`, a file for
each view; `view_check.py` says what such a file must have.
"""
