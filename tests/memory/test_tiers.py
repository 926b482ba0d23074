"""Old observations in an nt.Archive: asked for as ever, counted by tier."""

from __future__ import annotations

import numpy as np
import pytest

import neuraltrade as nt


def test_old_observations_are_found_in_the_archive(tmp_path):
    bars = nt.datasets.load("IBM")[-300:]
    with nt.Archive.open(tmp_path / "cold") as cold, nt.AgentDB.open(tmp_path / "m", seal_rows=100, archive=cold) as db:
        ids = db.observe(bars)
        db.optimize()
        late = nt.datasets.load("IBM")[-2000:-1990]
        db.observations.add(
            nt.embedding.MarketState().encode(late), symbol="IBM", ts_ns=late.ts_ns, known_ns=int(bars.ts_ns[-1])
        )
        asked = [db.observations.get(int(id_)).vector for id_ in ids[::60]]
        before = [db.observations.search(vector, 5, as_of=as_of).ids.tolist() for vector in asked
                  for as_of in (None, int(bars.ts_ns[120]))]  # fmt: skip
        recalled = nt.memory.Recall(db).similar("IBM", int(bars.ts_ns[200]), 4).tobytes()
        assert db.observations.demote(before=bars.ts_ns[0]) == 0
        moved = db.observations.demote(before="2099-01-01")
        assert moved == 300 and [one.kind for one in cold.list("stores/")] == ["bytes"]
        cold_tier, here = db.stats(tier="L3"), db.stats(tier="L2")
        assert (cold_tier["rows"], cold_tier["segments"], here["segments"]) == (300, 1, 0) and here["rows"] == 10
        assert cold_tier["collections"]["observations"]["bytes"] == cold_tier["bytes"] == cold.list()[0].bytes
        assert db.stats()["tiers"]["L3"]["rows"] == 300 and cold_tier["fetches"] == 0
        assert [db.observations.search(vector, 5, as_of=as_of).ids.tolist() for vector in asked
                for as_of in (None, int(bars.ts_ns[120]))] == before  # fmt: skip
        assert nt.memory.Recall(db).similar("IBM", int(bars.ts_ns[200]), 4).tobytes() == recalled
        assert db.stats(tier="L3")["fetches"] == 1 and db.verify()["files"] == 1
        assert np.array_equal(db.observe(bars), ids)
        assert cold.collect(0) == {"objects": 0, "bytes": 0}
        with pytest.raises(nt.InputError, match="tier must be one of L2, L3, was 'L4'"):
            db.stats(tier="L4")
    with pytest.raises(nt.InputError, match=r"archive must have put and get, as nt\.Archive has, was str"):
        nt.AgentDB.open(tmp_path / "m", archive="cold")
    with nt.AgentDB.open(tmp_path / "m") as db, pytest.raises(nt.InputError, match="open the store with archive="):
        db.observations.get(int(ids[0]))
