"""A log in a process that was forked while it was open."""

import os

import pytest

from neuraltrade import errors
from neuraltrade.core import wal


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_cannot_write_nor_hold_the_lock(tmp_path):
    log = wal.Log.open(tmp_path / "log")
    log.append(1, b"parent")
    release_read, release_write = os.pipe()
    child = os.fork()
    if child == 0:
        refused = 0
        try:
            for call in (lambda: log.append(2, b"child"), log.sync):
                try:
                    call()
                except errors.StoreLocked:
                    refused += 1
            log.close()
            os.close(release_write)
            os.read(release_read, 1)
        finally:
            os._exit(refused)
    log.append(3, b"after")
    log.close()
    wal.Log.open(tmp_path / "log").close()  # while the child lives on
    os.close(release_write)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 2
    assert [(kind, body) for _, kind, body in wal.scan(tmp_path / "log")] == [(1, b"parent"), (3, b"after")]
