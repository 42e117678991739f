"""The part of `make check` that looks at the CI workflows, the forms of .github and the shell scripts."""
