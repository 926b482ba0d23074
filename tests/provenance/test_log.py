"""The audit log: what it proves, what it survives, and what it notices."""

import os
import shutil
import signal
import subprocess
import sys
import threading

import msgspec
import numpy as np
import pytest

import neuraltrade as nt
from neuraltrade.clock import FixedClock
from neuraltrade.core import wal
from neuraltrade.provenance import AuditReport, Checkpoint, ConsistencyProof, InclusionProof, verify_extension
from neuraltrade.provenance.log import FILE_NAME, KIND_CHECKPOINT, KIND_RECORD
from neuraltrade.provenance.proofs import leaf_bytes


@pytest.fixture(scope="module")
def signer(tmp_path_factory):
    return nt.Signer.generate(tmp_path_factory.mktemp("key") / "key.pem")


def record(number, **more):
    return nt.Observation(id=number, ts_ns=number, symbol="AAPL", price=100.0 + number, **more)


def filled(folder, signer, count=20, every=7):
    with nt.AuditLog.open(folder, signer=signer, origin="desk", clock=FixedClock(5)) as log:
        for number in range(1, count + 1):
            log.append(record(number))
            if number % every == 0:
                log.checkpoint()
    return folder / FILE_NAME


def test_proofs_verify_offline_and_nothing_else_does(tmp_path, signer):
    rows = [record(number) for number in range(1, 12)]
    with nt.AuditLog.open(tmp_path, signer=signer) as log:
        assert [log.append(row) for row in rows] == list(range(11))
        checkpoint = Checkpoint.from_json(log.checkpoint().to_json())
        for sequence, row in enumerate(rows):
            proof = InclusionProof.from_json(log.prove(sequence).to_json())
            assert nt.verify_proof(checkpoint, proof, row, signer.public_key) is True
            assert log.get(sequence) == row
            with pytest.raises(nt.VerificationFailed, match="does not lead to the root"):
                nt.verify_proof(checkpoint, proof, record(99))
            with pytest.raises(nt.VerificationFailed):
                nt.verify_proof(checkpoint, msgspec.structs.replace(proof, sequence=(sequence + 1) % 11), row)
        assert list(log) == rows


def test_every_field_of_a_checkpoint_is_signed(tmp_path, signer):
    other = nt.Signer.generate(tmp_path / "other.pem")
    with nt.AuditLog.open(tmp_path / "log", signer=signer) as log:
        row = record(1)
        log.append(row)
        checkpoint, proof = log.checkpoint(), log.prove(0)
    for change in (
        {"origin": "x"}, {"root": b"\0" * 32}, {"ts_ns": checkpoint.ts_ns + 1}, {"public_key": other.public_key},
        {"signature": b"\0" * 64}, {"signature": b""}, {"root": b""}, {"public_key": b"k"},
    ):  # fmt: skip
        with pytest.raises(nt.VerificationFailed):
            nt.verify_proof(msgspec.structs.replace(checkpoint, **change), proof, row)
    with pytest.raises(nt.VerificationFailed, match="the proof is for 1 records"):
        forged = msgspec.structs.replace(checkpoint, size=2)
        nt.verify_proof(msgspec.structs.replace(forged, signature=signer.sign(forged.message())), proof, row)
    with pytest.raises(nt.VerificationFailed, match="signed by"):
        nt.verify_proof(checkpoint, proof, row, other)


def test_vectors_and_the_logs_own_marks_are_left_out_of_the_leaf(tmp_path, signer):
    row = record(1, vector=np.ones(4, np.float32), provenance=nt.Provenance(creator="me"))
    before = leaf_bytes(row)
    with nt.AuditLog.open(tmp_path, signer=signer) as log:
        log.append(row)
        assert row.provenance.sequence == 0 and len(row.provenance.hash) == 64
        assert leaf_bytes(row) == before
        row.vector = None
        assert nt.verify_proof(log.checkpoint(), log.prove(0), row)


def test_reopening_goes_on_where_it_stopped(tmp_path, signer):
    filled(tmp_path, signer)
    with nt.AuditLog.open(tmp_path, signer=signer, origin="desk") as log:
        assert len(log) == 20 and [c.size for c in log.checkpoints] == [7, 14]
        old = log.checkpoints[0]
        assert log.append_many([record(21), record(22)]) == range(20, 22)
        new = log.checkpoint()
        assert verify_extension(old, new, ConsistencyProof.from_json(log.consistency(old).to_json()), signer)
        report = log.verify(signer)
    assert report == AuditReport(origin="desk", records=22, checkpoints=3, unsigned=0, root=new.root.hex(),
                                 public_key=signer.public_key.hex())  # fmt: skip
    with nt.AuditLog.open(tmp_path, read_only=True) as log:
        assert [row.id for row in log] == list(range(1, 23))
        assert log.verify() == report
        with pytest.raises(nt.InputError, match="read_only"):
            log.append(record(1))


def test_an_older_checkpoint_exposes_truncation_and_rewrite(tmp_path, signer):
    filled(tmp_path / "true", signer)
    with nt.AuditLog.open(tmp_path / "true", read_only=True) as log:
        kept = log.checkpoints[-1]
    filled(tmp_path / "short", signer, count=8)
    with (
        nt.AuditLog.open(tmp_path / "short", read_only=True) as log,
        pytest.raises(nt.VerificationFailed, match="truncated: 14 records were signed, its latest checkpoint has 7"),
    ):
        log.consistency(kept)
    with nt.AuditLog.open(tmp_path / "rewritten", signer=signer, origin="desk") as log:
        for number in range(1, 21):
            log.append(record(number if number != 3 else 33))
        log.checkpoint()
        with pytest.raises(nt.VerificationFailed, match="history was rewritten"):
            log.consistency(kept)
    with nt.AuditLog.open(tmp_path / "other", signer=signer, origin="another desk") as log:
        log.append_many(record(number) for number in range(1, 21))
        log.checkpoint()
        with pytest.raises(nt.VerificationFailed, match="two logs"):
            log.consistency(kept)


def rewrite(source, target, change):
    """Copy the entries of a log through the write-ahead log's own face: checksums are right, content may not be."""
    with wal.Log.open(target, label="audit") as log:
        for index, (_, kind, body) in enumerate(wal.scan(source)):
            for new_kind, new_body in change(index, kind, body):
                log.append(new_kind, new_body)


def test_a_rewrite_without_the_key_does_not_open(tmp_path, signer):
    source = filled(tmp_path / "true", signer)
    other = nt.Signer.generate(tmp_path / "other.pem")

    def swap_record(index, kind, body):
        return [(kind, leaf_bytes(record(77)) if index == 3 else body)]

    def drop_record(index, kind, body):
        return [] if index == 3 else [(kind, body)]

    def resign(index, kind, body):
        if kind != KIND_CHECKPOINT:
            return [(kind, body)]
        forged = msgspec.structs.replace(Checkpoint.from_json(body), signature=other.sign(b"x"))
        return [(kind, forged.to_json().encode())]

    def foreign_kind(index, kind, body):
        return [(9, body) if index == 2 else (kind, body)]

    def unreadable(index, kind, body):
        return [(kind, b"junk" if index == 2 else body)]

    def no_header(index, kind, body):
        return [] if index == 0 else [(kind, body)]

    for number, (change, error, message) in enumerate(
        [
            (swap_record, nt.VerificationFailed, "not those that were signed"),
            (drop_record, nt.VerificationFailed, "covers 7 records, 6 precede it"),
            (resign, nt.VerificationFailed, "the signature is not of key"),
            (foreign_kind, nt.LogCorrupt, "entry of kind 9"),
            (unreadable, nt.LogCorrupt, "does not read"),
            (no_header, nt.LogCorrupt, "has no place there"),
        ]
    ):
        folder = tmp_path / str(number)
        folder.mkdir()
        rewrite(source, folder / FILE_NAME, change)
        with pytest.raises(error, match=message):
            nt.AuditLog.open(folder, signer=signer)


def test_every_sixteenth_byte_flipped_is_noticed(tmp_path, signer):
    data = filled(tmp_path / "true", signer, count=6, every=3).read_bytes()
    rng = np.random.default_rng(3)
    folder = tmp_path / "damaged"
    folder.mkdir()
    intact = 0
    for place in range(0, len(data), 16):
        damaged = bytearray(data)
        damaged[place] ^= 1 << int(rng.integers(8))
        (folder / FILE_NAME).write_bytes(damaged)
        try:
            with nt.AuditLog.open(folder, read_only=True) as log:
                # Only the closing mark of the log may go unread: it holds no record.
                assert [row.id for row in log] == list(range(1, 7)) and log.verify().records == 6
                intact += 1
        except (nt.LogCorrupt, nt.VerificationFailed, nt.FormatTooNew):
            pass
    assert intact <= 3


def test_cut_anywhere_it_opens_to_a_prefix_or_says_why(tmp_path, signer):
    data = filled(tmp_path / "true", signer, count=6, every=3).read_bytes()
    folder = tmp_path / "cut"
    for length in range(0, len(data), 16):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        (folder / FILE_NAME).write_bytes(data[:length])
        try:
            with nt.AuditLog.open(folder, signer=signer) as log:
                assert [row.id for row in log] == list(range(1, len(log) + 1))
                assert log.append(record(100)) == len(log) - 1
                assert log.checkpoint().size == len(log) and log.verify().unsigned == 0
        except (nt.LogCorrupt, nt.VerificationFailed):
            pass


WRITER = """
import sys, neuraltrade as nt
log = nt.AuditLog.open(sys.argv[1], signer=nt.Signer.load(sys.argv[2]))
for number in range(len(log) + 1, 10**9):
    log.append(nt.Observation(id=number, ts_ns=number, symbol="AAPL", metadata={"x": "y" * (number % 50)}))
    if number % 20 == 0:
        log.checkpoint()
    print(number, flush=True)
"""


def test_killed_writers_lose_nothing_acknowledged(tmp_path):
    nt.Signer.generate(tmp_path / "key.pem")
    rng = np.random.default_rng(5)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    for _ in range(8):
        command = [sys.executable, "-c", WRITER, str(tmp_path / "log"), str(tmp_path / "key.pem")]
        with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as writer:
            last = 0
            for _ in range(int(rng.integers(1, 400))):
                last = int(writer.stdout.readline())
            writer.send_signal(signal.SIGKILL)
            rest = writer.stdout.read().split(b"\n")[:-1]  # a last line without its end was not received
            last = int(rest[-1]) if rest else last
        with nt.AuditLog.open(tmp_path / "log", read_only=True) as log:
            assert len(log) >= last
            assert [row.id for row in log] == list(range(1, len(log) + 1))
            log.verify()


def test_lineage_leads_back_to_the_first_cause(tmp_path):
    with nt.AuditLog.open(tmp_path) as log:
        log.append(record(1))
        log.append(record(2, provenance=nt.Provenance(parent_id=1)))
        log.append(nt.Signal(id=3, ts_ns=3, symbol="AAPL", direction="long", causal_links=[2, 1, 50]))
        log.append(nt.Order(id=4, ts_ns=4, symbol="AAPL", side="buy", quantity=1, signal_id=3))
        log.append(nt.ReflexionTrace(id=5, ts_ns=4, decision_id=4, decision_type="order"))
        log.append(record(2, provenance=nt.Provenance(parent_id=5)))  # a later version, and a circle
        steps = log.lineage(5)
        found = [(step.depth, step.id, step.cause_of, step.sequence) for step in steps]
        assert found == [(0, 5, 0, 4), (1, 4, 5, 3), (2, 3, 4, 2), (3, 2, 3, 5), (3, 1, 3, 0), (3, 50, 3, -1)]
        assert steps[-1].record is None and isinstance(steps[1].record, nt.Order)
        assert [step.id for step in log.lineage(5, depth=1)] == [5, 4]
        with pytest.raises(nt.InputError, match="record_id must be the id of a record in the log, was 6"):
            log.lineage(6)
        with pytest.raises(nt.InputError, match="depth"):
            log.lineage(5, depth=-1)


def test_threads_get_sequences_of_their_own(tmp_path, signer):
    with nt.AuditLog.open(tmp_path, signer=signer) as log:
        taken = [[] for _ in range(4)]

        def work(own):
            for number in range(50):
                own.append(log.append(record(number + 1)))

        threads = [threading.Thread(target=work, args=(own,)) for own in taken]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(number for own in taken for number in own) == list(range(200))
        log.checkpoint()
        assert log.verify().records == 200


def test_bad_input_leaves_the_log_as_it_was(tmp_path, signer):
    log = nt.AuditLog.open(tmp_path / "log", signer=signer)
    log.append(record(1))
    for call, message in (
        (lambda: log.append({"id": 1}), "record must be a neuraltrade record, was dict"),
        (lambda: log.append(record(1, metadata={"x": object()})), "cannot be encoded"),
        (lambda: log.append_many([record(2), None]), "record must be"),
        (lambda: log.prove(0), "call checkpoint"),
        (lambda: log.prove(0, checkpoint="latest"), "checkpoint must be a Checkpoint"),
        (lambda: log.get(1), r"sequence must be in 0\.\.0, was 1"),
        (lambda: log.get(-1), "sequence"),
        (lambda: log.consistency(None), "old_checkpoint must be"),
        (lambda: nt.verify_proof(None, None, record(1)), "checkpoint must be a Checkpoint"),
        (lambda: Checkpoint.from_json("{}"), "does not hold a Checkpoint"),
        (lambda: nt.AuditLog.open(tmp_path / "log2", signer="key.pem"), "signer must be"),
        (lambda: nt.AuditLog.open(tmp_path / "log2", origin="a\nb"), "origin must be one line"),
        (lambda: nt.AuditLog.open(tmp_path / "nothing", read_only=True), "folder of an audit log"),
        (lambda: nt.AuditLog.open(tmp_path / "log" / FILE_NAME), "is a file"),
        (lambda: nt.AuditLog.open(5), "path"),
    ):
        with pytest.raises(nt.InputError, match=message):
            call()
    assert len(log) == 1
    with pytest.raises(nt.VerificationFailed, match="the log has none"):
        log.consistency(Checkpoint(origin="", size=1, root=b"", ts_ns=0, public_key=b"", signature=b""))
    log.checkpoint()
    with pytest.raises(nt.InputError, match=r"sequence must be in 0\.\.0, what the checkpoint covers, was 1"):
        log.prove(1)
    with pytest.raises(nt.StoreLocked):
        nt.AuditLog.open(tmp_path / "log", signer=signer)
    log.close()
    log.close()
    for call in (lambda: log.append(record(2)), log.checkpoint, lambda: log.prove(0), log.verify, log.flush):
        with pytest.raises(nt.StoreClosed):
            call()
    with pytest.raises(nt.InputError, match="signer must have the key of the log"):
        nt.AuditLog.open(tmp_path / "log", signer=nt.Signer.generate(tmp_path / "new.pem"))
    with pytest.raises(nt.InputError, match="origin must be"):
        nt.AuditLog.open(tmp_path / "log", origin="another")
    with nt.AuditLog.open(tmp_path / "log") as log, pytest.raises(nt.InputError, match="signer must be given"):
        log.checkpoint()


def test_newer_and_foreign_files(tmp_path):
    for name, body, error in (("new", b'{"format":2,"origin":"x"}', nt.FormatTooNew), ("junk", b"{", nt.LogCorrupt)):
        (tmp_path / name).mkdir()
        with wal.Log.open(tmp_path / name / FILE_NAME, label="audit") as log:
            log.append(1, body)
        with pytest.raises(error):
            nt.AuditLog.open(tmp_path / name)
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / FILE_NAME).write_bytes(b"not a log at all" * 10)
    with pytest.raises(nt.LogCorrupt):
        nt.AuditLog.open(tmp_path / "foreign")
    (tmp_path / "label").mkdir()
    with wal.Log.open(tmp_path / "label" / FILE_NAME, label="vectors") as log:
        log.append(KIND_RECORD, b"x")
    with pytest.raises(nt.LogCorrupt):
        nt.AuditLog.open(tmp_path / "label")


def test_what_changes_under_an_open_log_is_noticed(tmp_path, signer):
    file = filled(tmp_path, signer)
    log = nt.AuditLog.open(tmp_path, read_only=True)
    data = file.read_bytes()
    file.write_bytes(data[: len(data) * 2 // 3 // 8 * 8])
    with pytest.raises((nt.VerificationFailed, nt.LogCorrupt)):
        log.verify()
    log.close()


def test_a_record_that_could_not_be_read_again_is_refused(tmp_path):
    with nt.AuditLog.open(tmp_path / "audit") as log:
        for append in (log.append, lambda record: log.append_many([record])):
            with pytest.raises(nt.InputError, match="reasoning"):
                append(nt.Signal(ts_ns=0, symbol="A", direction="long", reasoning=5))
        with pytest.raises(nt.InputError, match="record_id"):
            log.lineage([1])
        assert log.verify().records == 0


def test_a_log_without_its_checkpoints_does_not_verify_under_a_key(tmp_path):
    signer = nt.Signer.generate(tmp_path / "key.pem")
    with nt.AuditLog.open(tmp_path / "audit") as log:
        assert log.verify(signer).records == 0
        log.append(nt.Signal(ts_ns=0, symbol="A", direction="long"))
        assert log.verify().unsigned == 1
        with pytest.raises(nt.VerificationFailed, match="none of its 1 records is under a signature"):
            log.verify(signer)


def test_a_change_of_folder_does_not_move_the_log(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with nt.AuditLog.open("audit") as log:
        monkeypatch.chdir("/")
        log.append(nt.Signal(id=1, ts_ns=0, symbol="A", direction="long"))
        assert log.get(0).id == 1 and log.verify().records == 1


def test_a_torn_end_is_told(tmp_path):
    with nt.AuditLog.open(tmp_path / "audit") as log:
        log.append(record(1))
        assert log.torn_bytes == 0
    with open(tmp_path / "audit" / "audit.wal", "ab") as handle:
        handle.write(b"half a record...")
    for read_only in (True, False):
        with nt.AuditLog.open(tmp_path / "audit", read_only=read_only) as log:
            assert (len(log), log.torn_bytes) == (1, 16)
    with nt.AuditLog.open(tmp_path / "audit") as log:
        assert log.torn_bytes == 0
