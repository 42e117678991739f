"""`python -m command_api COMMAND`: 0 done, 1 failed, 2 wrong usage or settings, 3 some of it failed.

Ctrl-C ends a command that has not completed its work with 130, SIGTERM with 143. What takes time to import is
imported by `main`, so that Ctrl-C meanwhile prints no traceback.
"""

from shared.ops.program import end_with


def main(arguments: list[str] | None = None) -> int:
    """Returns the exit code."""
    from command_api.command_line import run_command_line

    return run_command_line(arguments)


if __name__ == "__main__":
    end_with(main)
