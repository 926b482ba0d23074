"""Records beside dataclass and json, the audit log, and P16: reflecting on a decision."""

from __future__ import annotations

import dataclasses
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

import neuraltrade as nt
from neuraltrade.reflexion import Decision, RunContext, judge

FIELDS: dict[str, Any] = {
    "ts_ns": 10**18, "symbol": "AAPL", "direction": "long", "strategy": "momentum", "confidence": 0.8,
    "features": [0.1, 0.2, 0.3, 0.4], "reasoning": "fast above slow", "causal_links": [1, 2, 3], "entry_price": 101.5,
}  # fmt: skip


@dataclasses.dataclass
class PlainSignal:
    """What a program without the schema would write."""

    ts_ns: int
    symbol: str
    direction: str
    id: int = 0
    known_ns: int = 0
    strategy: str = ""
    confidence: float = 1.0
    features: list[float] = dataclasses.field(default_factory=list)
    reasoning: str = ""
    causal_links: list[int] = dataclasses.field(default_factory=list)
    propensity: float | None = None
    entry_price: float | None = None
    stop_loss: float | None = None
    take_profit: float | None = None
    quantity: float | None = None
    metadata: dict[str, Any] = dataclasses.field(default_factory=dict)
    vector: list[float] | None = None


class Records:
    """Making and encoding one Signal: the target is a tenth of dataclass and json."""

    def setup(self) -> None:
        self.vector = np.random.default_rng(0).standard_normal(768).astype(np.float32)
        self.numbers = self.vector.tolist()
        self.packed = nt.schema.encode(nt.Signal(**FIELDS, vector=self.vector))

    def time_make_and_encode(self) -> None:
        nt.schema.encode(nt.Signal(**FIELDS))

    def time_make_and_encode_dataclass_json(self) -> None:
        json.dumps(dataclasses.asdict(PlainSignal(**FIELDS))).encode()

    def time_make_and_encode_with_vector(self) -> None:
        nt.schema.encode(nt.Signal(**FIELDS, vector=self.vector))

    def time_make_and_encode_with_vector_dataclass_json(self) -> None:
        json.dumps(dataclasses.asdict(PlainSignal(**FIELDS, vector=self.numbers))).encode()

    def time_decode_with_vector(self) -> None:
        nt.schema.decode(self.packed)


class Audit:
    """The audit log over 10,000 records."""

    def setup(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        signer = nt.Signer.generate(Path(self.folder.name) / "key.pem")
        self.log = nt.AuditLog.open(Path(self.folder.name) / "audit", signer=signer)
        rows = [nt.Signal(**{**FIELDS, "causal_links": [i]}, id=i + 1) for i in range(10_000)]
        self.log.append_many(rows)
        self.checkpoint = self.log.checkpoint()
        self.proof, self.record = self.log.prove(777), rows[777]

    def teardown(self) -> None:
        self.log.close()
        self.folder.cleanup()

    def time_append(self) -> None:
        self.log.append(self.record)

    def time_prove(self) -> None:
        self.log.prove(777, self.checkpoint)

    def time_verify_proof(self) -> None:
        nt.verify_proof(self.checkpoint, self.proof, self.record)

    def time_lineage_of_ten_levels(self) -> None:
        self.log.lineage(10_000, depth=10)


class Reflexion:
    """P16: judging one decision, replays included; on a window of 1,000 bars at most 5 ms."""

    def setup(self) -> None:
        self.bars = nt.datasets.load("GOOG")

    def time_p16_judge_20_bars(self) -> None:
        judge(Decision("GOOG", 600, 0.0, 10.0, 620), self.bars, RunContext())

    def time_p16_judge_1000_bars(self) -> None:
        judge(Decision("GOOG", 600, 0.0, 10.0, 1100), self.bars, RunContext())
