"""The program `mnist-tui`: interrupted before all of it is loaded, it ends without a traceback too."""

import sys
from typing import NoReturn

_INTERRUPTED_EXIT_CODE = 130


def main() -> NoReturn:
    """Load the command line, run it and end this process with its exit code."""
    try:
        from tui import cli  # Loads for a while, and Ctrl-C comes when a person likes.

        cli.main()
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED_EXIT_CODE)


if __name__ == "__main__":
    main()
