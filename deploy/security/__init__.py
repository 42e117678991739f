"""The part of `make check` that looks for secrets in the files, for known weaknesses of packages, and for
unsafe CI workflows.
"""
