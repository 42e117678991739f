"""`python -m deploy.local`: the local stack in `.local/`; see command_line.py.

What takes time to import is imported by `main`, so that Ctrl-C meanwhile prints no traceback.
"""

from shared.ops.program import end_with


def main() -> int:
    """Returns the exit code."""
    from deploy.local.command_line import run_command_line

    return run_command_line()


if __name__ == "__main__":
    end_with(main)
