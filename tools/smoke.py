"""The installed package, outside the checkout: every public name resolves and the rooms answer. Exits 1 if not."""

from __future__ import annotations

import sys
from pathlib import Path

import neuraltrade as nt


def main() -> int:
    location = Path(nt.__file__).parent
    if "site-packages" not in location.parts:
        print(f"neuraltrade was imported from {location}, not from an installation")
        return 1
    for name in nt.__all__:
        getattr(nt, name)
    print(f"neuraltrade {nt.__version__} on Python {sys.version.split()[0]}: {len(nt.__all__)} public names resolve")
    return 0


if __name__ == "__main__":
    sys.exit(main())
