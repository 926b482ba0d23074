"""`python -m neuraltrade`, the same as the command `neuraltrade`."""

from __future__ import annotations

import sys


def main() -> None:
    """Runs the command line and exits with its status."""
    from .cli.app import run  # noqa: PLC0415  (importing this module must cost nothing)

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
