"""The part of `make check` that looks for secrets in the files and for known weaknesses of packages."""
