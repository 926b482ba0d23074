"""The write-ahead log: exact prefixes after crashes, damage told, disk faults survived."""

from __future__ import annotations

import errno
import os
import random
import signal
import struct
import subprocess
import sys
import threading

import pytest

from neuraltrade import errors
from neuraltrade.core import wal

IDENTITY = bytes(range(16))
HEADER, HEAD, MARK = 64, 24, 32


def bodies_of(seed: int, count: int, longest: int = 70) -> list[bytes]:
    rng = random.Random(seed)
    bodies = [rng.randbytes(rng.randrange(longest)) for _ in range(count)]
    assert len({len(body) % 8 for body in bodies}) > 1
    return bodies


def write(path, bodies, *, close=True, sync_after=()):
    """A log with one record per body, kinds 0, 1, 2 ...; without `close`, as a killed writer leaves it."""
    log = wal.Log.open(path, identity=IDENTITY, label="test")
    for index, body in enumerate(bodies):
        log.append(index, body)
        if index in sync_after:
            log.sync()
    if close:
        log.close()
    else:
        image = path.read_bytes()
        log.close()
        path.write_bytes(image)


def put(path, image):
    """A new file: truncating one makes ext4 flush it on close, 4 ms each."""
    path.unlink(missing_ok=True)
    path.write_bytes(image)


def read(path):
    return [(kind, body) for _, kind, body in wal.scan(path)]


def expected(bodies):
    return list(enumerate(bodies))


def test_crc32c_known_values_and_both_variants():
    assert wal.crc32c(b"123456789") == 0xE3069283
    assert wal.crc32c(bytes(32)) == 0x8A9136AA  # RFC 3720 B.4
    assert wal.crc32c(b"\xff" * 32) == 0x62A8AB43
    rng = random.Random(1)
    for length in (*range(40), 1000):
        body = rng.randbytes(length)
        assert wal.crc32c(body) == wal.crc32c(body, serial=True)
        assert wal.crc32c(body[length // 3 :], wal.crc32c(body[: length // 3])) == wal.crc32c(body)


def test_round_trip_offsets_and_sequences(tmp_path):
    path = tmp_path / "a.log"
    bodies = bodies_of(2, 50)
    with wal.Log.open(path, label="test", first_sequence=100) as log:
        offsets = [log.append(index, body) for index, body in enumerate(bodies)]
        assert log.sequence == 150 and log.first_sequence == 100
        assert offsets[0] == HEADER and log.offset == offsets[-1] + HEAD + (len(bodies[-1]) + 7) // 8 * 8
    assert [offset for offset, _, _ in wal.scan(path)] == offsets
    assert read(path) == expected(bodies)
    assert [kind for _, kind, _ in wal.scan(path, offsets[30])] == list(range(30, 50))
    reader = wal.scan(path, offsets[-1])
    assert len(list(reader)) == 1 and reader.sequence == 150 and reader.label == b"test"


def test_append_many_equals_append(tmp_path):
    bodies = [*bodies_of(3, 300, 3000), b"y" * 400_000, b"", b"z" * 20_000, *bodies_of(4, 100)]
    one, many = tmp_path / "one.log", tmp_path / "many.log"
    write(one, bodies)
    with wal.Log.open(many, identity=IDENTITY, label="test") as log:
        assert log.append_many([], []) == []
        offsets = log.append_many(range(len(bodies)), bodies)
        assert list(log.scan())[7] == (offsets[7], 7, bodies[7])
    assert one.read_bytes() == many.read_bytes()


def test_reopen_continues_and_bodies_may_be_any_buffer(tmp_path):
    path = tmp_path / "a.log"
    for round_ in range(5):
        with wal.Log.open(path) as log:
            assert log.sequence == 1 + round_ and log.torn_bytes == 0
            log.append(round_, memoryview(bytearray(b"abcd" * round_)))
    assert read(path) == [(r, b"abcd" * r) for r in range(5)]


def test_opening_and_closing_leaves_the_file_alone(tmp_path):
    path = tmp_path / "a.log"
    write(path, bodies_of(5, 4))
    before = path.read_bytes()
    for _ in range(3):
        with wal.Log.open(path) as log:
            log.sync()
    assert path.read_bytes() == before


@pytest.mark.parametrize("many", [False, True])
def test_cut_at_every_byte_leaves_an_exact_prefix(tmp_path, many):
    path, cut = tmp_path / "a.log", tmp_path / "cut.log"
    bodies = bodies_of(6, 12)
    write(path, bodies, sync_after=() if many else (3, 7))
    image = path.read_bytes()
    ends = [offset + HEAD + (len(body) + 7) // 8 * 8 for offset, _, body in wal.scan(path)]
    for length in range(HEADER, len(image)):
        put(cut, image[:length])
        whole = sum(end <= length for end in ends)
        assert read(cut) == expected(bodies[:whole])
        if length % 7:
            continue
        with wal.Log.open(cut) as log:
            assert log.torn_records == 0
            log.append(whole, b"next")
        assert read(cut) == [*expected(bodies[:whole]), (whole, b"next")]
    for length in range(HEADER):
        put(cut, image[:length])
        with pytest.raises(errors.LogCorrupt):
            wal.Log.open(cut)


def test_every_flipped_bit_is_detected(tmp_path):
    path, bad = tmp_path / "a.log", tmp_path / "bad.log"
    bodies = bodies_of(7, 6, 20)
    write(path, bodies, sync_after=(2,))
    image = path.read_bytes()
    last_mark = len(image) - MARK
    for bit in range(8 * len(image)):
        damaged = bytearray(image)
        damaged[bit // 8] ^= 1 << (bit % 8)
        put(bad, damaged)
        if bit // 8 >= last_mark:  # only the proof is lost
            assert read(bad) == expected(bodies)
            continue
        with pytest.raises(errors.LogCorrupt):
            wal.Log.open(bad)
        if bit // 8 >= HEADER and bit % 7 == 0:
            assert bad.read_bytes() == bytes(damaged)
            reader, good = wal.scan(bad), []
            with pytest.raises(errors.LogCorrupt, match="offset"):
                while True:
                    good.append(next(reader)[1:])
            assert good == expected(bodies)[: len(good)]


def test_moved_duplicated_and_foreign_records_are_detected(tmp_path):
    path, bad, other = tmp_path / "a.log", tmp_path / "bad.log", tmp_path / "other.log"
    bodies = [bytes([i]) * 16 for i in range(6)]
    write(path, bodies)
    image = path.read_bytes()
    size = HEAD + 16
    parts = [image[HEADER + i * size : HEADER + (i + 1) * size] for i in range(6)]
    assert b"".join(parts) + image[HEADER + 6 * size :] == image[HEADER:]
    with wal.Log.open(other, identity=bytes(16), label="test") as log:
        log.append_many(range(6), bodies)
    stranger = other.read_bytes()[HEADER + 2 * size : HEADER + 3 * size]
    for changed in (
        [parts[1], parts[0], *parts[2:]],
        [parts[0], parts[0], *parts[2:]],
        [parts[0], *parts[2:], parts[1]],
        [*parts[:2], stranger, *parts[3:]],
    ):
        put(bad, image[:HEADER] + b"".join(changed) + image[HEADER + 6 * size :])
        with pytest.raises(errors.LogCorrupt):
            wal.Log.open(bad)
    put(bad, image[:HEADER] + b"".join(parts[:1] + parts[2:]) + image[HEADER + 6 * size :])
    assert read(bad) == expected(bodies[:1])  # moved up: nothing after the cut checks, a tear


def test_power_loss_out_of_order_is_a_tear_unless_synced(tmp_path):
    path = tmp_path / "a.log"
    bodies = [bytes([i]) * 16 for i in range(6)]
    write(path, bodies, close=False, sync_after=(1,))
    image = bytearray(path.read_bytes())
    third = HEADER + 2 * (HEAD + 16) + MARK
    image[third : third + 40] = bytes(40)  # written, never synced, lost; 3, 4 and 5 arrived
    path.write_bytes(image)
    assert read(path) == expected(bodies[:2])
    with pytest.raises(errors.LogCorrupt, match="torn at offset"):
        list(wal.scan(path, sealed=True))
    with wal.Log.open(path) as log:
        assert log.torn_records == 3 and log.torn_bytes == 4 * (HEAD + 16) and log.sequence == 3
    image[HEADER + HEAD] ^= 1  # in what was synced
    path.write_bytes(image)
    with pytest.raises(errors.LogCorrupt, match=f"offset {HEADER} "):
        wal.Log.open(path)


def test_absurd_lengths_are_bounded(tmp_path):
    path = tmp_path / "a.log"
    write(path, [b"abc"], close=False)
    seed = wal.crc32c(IDENTITY)
    end = path.stat().st_size
    for length in (2**30 + 1, 2**32 - 1, 2**30, 5000):
        head = struct.pack("<IIQI", length, 1, 2, 0)
        head += struct.pack("<I", wal.crc32c(head, wal.crc32c(struct.pack("<Q", end), seed)))
        path.write_bytes(path.read_bytes()[:end] + head + b"body")
        assert read(path) == [(0, b"abc")]


def test_short_and_interrupted_transfers_are_finished(tmp_path):
    path = tmp_path / "a.log"
    bodies = [*bodies_of(8, 20), b"w" * 30_000]
    interrupted = [wal.Faults("write", at=at, error=errno.EINTR) for at in (2, 9)]
    for number, faults in enumerate([wal.Faults("write", at=1), *interrupted]):
        path = tmp_path / f"{number}.log"
        with wal.Log.open(path, faults=faults) as log:
            for index, body in enumerate(bodies):
                log.append(index, body)
        assert faults.calls > 20
        assert read(path) == expected(bodies)
        with pytest.raises(StopIteration):
            next(wal.scan(path, path.stat().st_size, faults=wal.Faults("read", at=1, error=errno.EINTR)))
        assert len(list(wal.scan(path, faults=wal.Faults("read", at=3)))) == len(bodies)


def test_failed_sync_poisons_and_reopening_recovers(tmp_path):
    path = tmp_path / "a.log"
    wal.Log.open(path).close()
    log = wal.Log.open(path, faults=wal.Faults("sync", at=1, error=errno.EIO))
    log.append(0, b"one")
    with pytest.raises(OSError, match=r"a\.log") as caught:
        log.sync()
    assert caught.value.errno == errno.EIO and log.poisoned
    for call in (lambda: log.append(1, b"two"), log.sync, lambda: log.append_many(1, [b"two"])):
        with pytest.raises(errors.StoreClosed, match="poisoned"):
            call()
    log.close()
    with wal.Log.open(path) as again:
        assert again.append(1, b"two") and not again.poisoned
    assert read(path) == [(0, b"one"), (1, b"two")]


def test_unsynced_tail_is_written_again_on_open(tmp_path):
    path = tmp_path / "a.log"
    write(path, bodies_of(9, 30), close=False, sync_after=(3,))
    faults = wal.Faults("write", at=99, error=errno.EIO)
    before = path.read_bytes()
    log = wal.Log.open(path, faults=faults)
    assert faults.calls == 1 and path.read_bytes() == before
    log.close()


def test_full_disk_withdraws_the_record(tmp_path):
    path = tmp_path / "a.log"
    wal.Log.open(path).close()
    log = wal.Log.open(path, faults=wal.Faults("write", at=2, error=errno.ENOSPC))
    log.append(0, b"one")
    size = path.stat().st_size
    with pytest.raises(OSError, match="No space") as caught:
        log.append_many([7, 8], [b"lost", b"x" * 50_000])
    assert caught.value.errno == errno.ENOSPC and not log.poisoned and path.stat().st_size == size
    log.append(1, b"two")
    log.close()
    assert read(path) == [(0, b"one"), (1, b"two")]


def test_failed_write_poisons(tmp_path):
    path = tmp_path / "a.log"
    wal.Log.open(path).close()
    log = wal.Log.open(path, faults=wal.Faults("write", at=1, error=errno.EIO))
    with pytest.raises(OSError, match="Input/output"):
        log.append(0, b"one")
    with pytest.raises(errors.StoreClosed):
        log.append(0, b"one")
    log.close()
    assert read(path) == []


@pytest.mark.parametrize("operation", wal.OPERATIONS)
def test_every_call_of_every_operation_may_fail(tmp_path, operation):
    """Whatever fails, acknowledged records are there and nothing else is."""
    failures = 0
    for at in range(1, 40):
        path = tmp_path / f"{at}.log"
        faults = wal.Faults(operation, at=at, error=errno.EIO)
        acknowledged = []
        try:
            for _ in range(3):
                log = wal.Log.open(path, faults=faults)
                try:
                    for _ in range(3):
                        body = b"%d" % len(acknowledged)
                        log.append(len(acknowledged), body)
                        acknowledged.append(body)
                    log.sync()
                    assert len(list(log.scan())) == len(acknowledged)
                finally:
                    log.close()
                with open(path, "ab") as file:
                    file.write(b"torn")
        except OSError as error:
            failures += 1
            assert error.errno == errno.EIO
        if path.exists():
            assert read(path) == expected(acknowledged)
        else:
            assert acknowledged == []
    assert failures > 0


def test_creators_racing_for_one_path(tmp_path):
    """One wins; the others are told that it is taken, and no record is lost."""
    for round_ in range(20):
        path, outcomes = tmp_path / f"{round_}.log", []
        barrier = threading.Barrier(4)

        def create(path=path, barrier=barrier, outcomes=outcomes):
            barrier.wait()
            try:
                log = wal.Log.open(path)
            except errors.StoreLocked:
                outcomes.append(None)
            else:
                log.append(1, log.identity)
                outcomes.append(log)

        threads = [threading.Thread(target=create) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        winners = [log for log in outcomes if log is not None]
        assert len(outcomes) == 4 and len(winners) == 1
        assert read(path) == [(1, winners[0].identity)]
        winners[0].close()
    assert len(list(tmp_path.iterdir())) == 20


def test_one_writer_many_readers(tmp_path):
    path = tmp_path / "a.log"
    with wal.Log.open(path) as log:
        log.append(0, b"one")
        with pytest.raises(errors.StoreLocked, match="elsewhere"):
            wal.Log.open(path)
        with wal.Log.open(path, read_only=True) as beside:
            assert beside.offset == log.offset and beside.sequence == 2 and next(beside.scan())[2] == b"one"
            with pytest.raises(errors.InputError, match="read_only"):
                beside.append(1, b"x")
    wal.Log.open(path).close()


def test_read_only_leaves_a_torn_tail(tmp_path):
    path = tmp_path / "a.log"
    write(path, [b"one"], close=False)
    image = path.read_bytes() + b"torn"
    path.write_bytes(image)
    with wal.Log.open(path, read_only=True) as log:
        assert log.torn_bytes == 4
    assert path.read_bytes() == image


def test_foreign_missing_newer_and_unreadable_files(tmp_path):
    with pytest.raises(FileNotFoundError):
        wal.Log.open(tmp_path / "none.log", create=False)
    with pytest.raises(FileNotFoundError):
        wal.Log.open(tmp_path / "none.log", read_only=True)
    with pytest.raises(FileNotFoundError):
        wal.Log.open(tmp_path / "no" / "folder.log")
    with pytest.raises(FileNotFoundError):
        wal.scan(tmp_path / "none.log")
    with pytest.raises(IsADirectoryError):
        wal.Log.open(tmp_path)
    foreign = tmp_path / "foreign"
    foreign.write_bytes(b"SQLite format 3\0" * 10)
    with pytest.raises(errors.LogCorrupt, match="not a neuraltrade log"):
        wal.Log.open(foreign)
    (tmp_path / "empty").write_bytes(b"")
    with pytest.raises(errors.LogCorrupt):
        wal.Log.open(tmp_path / "empty")
    path = tmp_path / "a.log"
    write(path, [b"one"])
    with pytest.raises(errors.LogCorrupt, match="is a log of b'test'"):
        wal.Log.open(path, label="other")
    image = bytearray(path.read_bytes())
    image[8:12] = struct.pack("<I", wal.FORMAT_VERSION + 1)
    image[60:64] = struct.pack("<I", wal.crc32c(bytes(image[:60])))
    path.write_bytes(image)
    for opens in (lambda: wal.Log.open(path), lambda: wal.scan(path)):
        with pytest.raises(errors.FormatTooNew, match="newer"):
            opens()
    if os.geteuid() != 0:
        path.chmod(0o400)
        with pytest.raises(PermissionError):
            wal.Log.open(path)


def test_closed_log(tmp_path):
    log = wal.Log.open(tmp_path / "a.log")
    log.close()
    log.close()
    assert log.closed and "closed" in repr(log)
    for call in (lambda: log.append(0, b""), lambda: log.append_many(0, [b""]), log.sync):
        with pytest.raises(errors.StoreClosed, match="closed"):
            call()


def test_bad_arguments(tmp_path):
    path = tmp_path / "a.log"
    with wal.Log.open(path) as log:
        for kind in (-1, 2**32 - 1, 2**40, 1.0, "1", None, True):
            with pytest.raises(errors.InputError, match="kind"):
                log.append(kind, b"")
        for body in ("text", None, 3, memoryview(b"abcdef")[::2]):
            with pytest.raises(errors.InputError, match="body"):
                log.append(0, body)
            with pytest.raises(errors.InputError, match="body"):
                log.append_many(0, [b"fine", body])
        with pytest.raises(errors.InputError, match="2 kinds, 1 bodies"):
            log.append_many([1, 2], [b""])
        assert log.offset == HEADER and log.sequence == 1
    for start in (-1, 3, 65, 10**6, 1.5, True, 2**70):
        with pytest.raises(errors.InputError, match="start"):
            wal.scan(path, start)
    for wrong in (3, b"bytes", "", "nul\0"):
        with pytest.raises(errors.InputError, match="path"):
            wal.Log.open(wrong)
    wrong_options = [("label", "x" * 17), ("label", "é"), ("identity", b"short"), ("first_sequence", -1), ("faults", 3)]
    for name, value in wrong_options:
        with pytest.raises(errors.InputError, match=name):
            wal.Log.open(tmp_path / "b.log", **{name: value})
    assert not (tmp_path / "b.log").exists()
    with pytest.raises(errors.InputError, match="operation"):
        wal.Faults("chew", at=1)
    with pytest.raises(TypeError):
        wal.Log()


def test_threads_share_one_log(tmp_path):
    path = tmp_path / "a.log"
    log = wal.Log.open(path)

    def work(thread: int) -> None:
        for index in range(50):
            log.append(thread, b"%d" % index)
            if index % 10 == 0:
                log.sync()

    threads = [threading.Thread(target=work, args=(t,)) for t in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    log.close()
    records = read(path)
    for thread in range(4):
        assert [body for kind, body in records if kind == thread] == [b"%d" % i for i in range(50)]


def test_acknowledged_survives_kill(tmp_path):
    """A writer killed at random points: what it acknowledged is there, and the log is an exact prefix."""
    script = (
        "import sys; from neuraltrade.core import wal; log = wal.Log.open(sys.argv[1])\n"
        "index = log.sequence - 1\n"
        "while True:\n"
        "    log.append_many(index % 7, [b'%d' % (index + j) * 9 for j in range(3)]); index += 3\n"
        "    sys.stdout.write('%d\\n' % index); sys.stdout.flush()\n"
    )
    path = tmp_path / "a.log"
    rng = random.Random(10)
    for _ in range(4):
        child = subprocess.Popen([sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        acknowledged = 0
        for _ in range(rng.randrange(20, 400)):
            acknowledged = int(child.stdout.readline())
        child.send_signal(signal.SIGKILL)
        for line in child.stdout:
            acknowledged = int(line) if line.endswith("\n") else acknowledged
        child.wait()
        child.stdout.close()
        records = read(path)
        assert len(records) >= acknowledged > 0
        assert [body for _, body in records] == [b"%d" % i * 9 for i in range(len(records))]
