"""Bars into observations."""

import numpy as np
import pytest

import neuraltrade as nt
from neuraltrade.errors import InputError


def test_a_history_is_observed_once(tmp_path):
    bars = nt.datasets.load("AAPL")[-120:]
    with nt.AgentDB.open(tmp_path / "m") as db:
        seen: list[tuple[int, int]] = []
        first = db.observe(bars[:100], progress=lambda done, total: seen.append((done, total)))
        again = db.observe(bars)
        assert (
            again[:100].tolist() == first.tolist() and len(set(again.tolist())) == 120 and len(db.observations) == 120
        )
        assert seen[-1] == (100, 100)
        rows = db.observations.range("AAPL")
        np.testing.assert_array_equal(rows.ts_ns, bars.ts_ns)
        np.testing.assert_array_equal(rows.known_ns, bars.ts_ns)
        np.testing.assert_array_equal(rows.column("price"), bars.close)


def test_a_panel_is_observed_symbol_by_symbol(tmp_path, capsys):
    panel = nt.Panel([nt.datasets.load("AAPL")[-60:], nt.datasets.load("IBM")[-50:]])
    with nt.AgentDB.open(tmp_path / "m") as db:
        ids = db.observe(panel, encoder=nt.embedding.HashEncoder(512), progress=True)
        assert len(ids) == 110 and db.observations.count("IBM") == 50
        assert db.observations.get(ids[60]).symbol == "IBM"


def test_an_encoder_of_another_dimension_is_refused(tmp_path):
    with nt.AgentDB.open(tmp_path / "m") as db:
        with pytest.raises(InputError, match="dimension 512"):
            db.observe(nt.datasets.load("AAPL")[-60:], encoder=nt.embedding.HashEncoder(256))
        assert len(db.observations) == 0
