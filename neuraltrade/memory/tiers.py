"""What of a store lies where: in its folder (L2), in the archive (L3)."""

from __future__ import annotations

from typing import Any

TIERS = ("L2", "L3")


def tier_stats(tier: str, stats: dict[str, Any]) -> dict[str, Any]:
    """Versions of rows, segments and bytes of one tier, in all and by collection, out of Store.stats()."""
    by_collection = {}
    for name, one in stats["collections"].items():
        cold = (one["archived_rows"], one["archived_segments"], one["bytes_archived"])
        here = (one["versions"] - cold[0], one["segments"] - cold[1], one["bytes_disk"])
        by_collection[name] = dict(zip(("rows", "segments", "bytes"), here if tier == "L2" else cold, strict=True))
    totals = {key: sum(one[key] for one in by_collection.values()) for key in ("rows", "segments", "bytes")}
    if tier == "L2":
        return {"tier": tier, **totals, "log_bytes": stats["log_bytes"], "collections": by_collection}
    fetched = {"fetches": stats["archive_fetches"], "bytes_fetched": stats["bytes_fetched"]}
    return {"tier": tier, **totals, **fetched, "collections": by_collection}
