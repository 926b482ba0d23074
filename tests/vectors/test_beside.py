"""Read-only opens beside a writer that seals, merges and trims all the time: each sees a prefix, none fails."""

import os
import subprocess
import sys
from pathlib import Path

from crash_child import OPTIONS, SPECS

from neuraltrade.vectors import Store

HERE = Path(__file__).parent


def test_readers_beside_a_busy_writer(tmp_path):
    path = tmp_path / "s"
    path_text = os.pathsep.join([str(HERE), *sys.path])
    command = [sys.executable, str(HERE / "crash_child.py"), str(path), "1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": path_text}) as child:
        assert child.stdout is not None
        try:
            highest = manifests = 0
            seen = b""
            for turn in range(1000):
                if turn >= 40 and highest > 50 and manifests > 5:
                    break  # on a busy machine the writer may still be at its beginning by then
                acknowledged = 0
                for _ in range(5):
                    words = child.stdout.readline().split()
                    acknowledged = max(
                        [acknowledged, *map(int, words[2:])] if words[:1] == [b"add"] else [acknowledged]
                    )
                with Store(path, SPECS, read_only=True, **OPTIONS) as store:
                    ids = [id_ for one in store.collections.values() for id_ in one.range(limit=None).ids.tolist()]
                    assert len(ids) == len(set(ids))
                    assert store.next_id > acknowledged and store.next_id >= highest
                    highest = store.next_id
                manifest = (path / "MANIFEST").read_bytes()
                manifests, seen = manifests + (manifest != seen), manifest
        finally:
            child.kill()
    assert highest > 50 and manifests > 5
