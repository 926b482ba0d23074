"""The installed package, outside the checkout: every public name resolves and every room answers. Exits 1 if not."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import neuraltrade as nt


def main() -> int:
    location = Path(nt.__file__).parent
    if "site-packages" not in location.parts:
        print(f"neuraltrade was imported from {location}, not from an installation")
        return 1
    for name in nt.__all__:
        getattr(nt, name)
    momentum, bars = nt.strategy.library.Momentum, nt.datasets.load("GOOG")
    with tempfile.TemporaryDirectory() as scratch:
        with nt.AgentDB.open(f"{scratch}/memory") as db:
            ids = db.observe(bars)
            journal = nt.memory.Journal(db)
            result = nt.backtest(bars, nt.compiled(momentum), journal=journal)
            vector = db.observations.get(int(ids[-1])).vector
            nearest = db.observations.search(vector, k=1)
            signals = db.signals.range(limit=None).records()
        signer = nt.Signer.generate(f"{scratch}/key.pem")
        with nt.AuditLog.open(f"{scratch}/audit", signer=signer) as log:
            log.append_many(signals)
            log.checkpoint()
            verified = log.verify(public_key=signer)
    checks = {
        "compiled and interpreted decide alike": result.digest == nt.backtest(bars, momentum).digest,
        "a bar is its own nearest neighbour": nearest.ids.tolist() == [int(ids[-1])],
        "every signal stands in the audit log": verified.records == len(signals) == len(result.signals) > 0,
    }
    for words, held in checks.items():
        print(f"{'ok' if held else 'FAILED'}: {words}")
    print(f"neuraltrade {nt.__version__} on Python {sys.version.split()[0]}: {len(nt.__all__)} public names resolve")
    return 0 if all(checks.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
