"""P5, P7, P10: session memory, nearest neighbours with their recall, inserts."""

from __future__ import annotations

import tempfile

import numpy as np

import neuraltrade as nt

import inputs
import ours


class Session:
    """P5: one call each; asv times the loop around it."""

    def setup(self) -> None:
        self.session = ours.filled_session()

    def time_p5_position(self) -> None:
        self.session.position("S7")

    def time_p5_is_active(self) -> None:
        self.session.is_active(ours.SOME_ORDER)

    def time_p5_recent_100(self) -> None:
        self.session.recent("S7", 100)


class Neighbours:
    """P7: kNN k=10 after optimize(), speed and recall@10 from the same store."""

    params = (10_000, 100_000)
    param_names = ("rows",)
    timeout = 600

    def setup(self, rows: int) -> None:
        vectors, self.queries = inputs.latent_vectors(rows, 200)
        self.truth = inputs.exact_neighbours(vectors, self.queries, 10)
        self.folder = tempfile.TemporaryDirectory()
        self.db = nt.AgentDB.open(f"{self.folder.name}/memory", cache_queries=0)
        self.ids = self.db.observations.add(vectors, symbol="PEER", ts_ns=np.arange(1, rows + 1))
        self.db.optimize()

    def teardown(self, rows: int) -> None:
        self.db.close()
        self.folder.cleanup()

    def time_p7_200_queries_one_at_a_time(self, rows: int) -> None:
        for query in self.queries:
            self.db.observations.search(query, k=10)

    def time_p7_200_queries_at_once(self, rows: int) -> None:
        self.db.observations.search_many(self.queries, k=10)

    def track_p7_recall_at_10(self, rows: int) -> float:
        ids, _ = self.db.observations.search_many(self.queries, k=10)
        return inputs.recall(ids.astype(np.int64) - int(self.ids[0]), self.truth)


class Inserts:
    """P10: 1,000 observations acknowledged into the log and visible."""

    def setup(self) -> None:
        self.vectors, _ = inputs.latent_vectors(1_000, 1)
        self.folder = tempfile.TemporaryDirectory()
        self.db = nt.AgentDB.open(f"{self.folder.name}/memory", cache_queries=0)
        self.times = np.arange(1, 1_001)

    def teardown(self) -> None:
        self.db.close()
        self.folder.cleanup()

    def time_p10_add_1000(self) -> None:
        self.db.observations.add(self.vectors, symbol="PEER", ts_ns=self.times)
