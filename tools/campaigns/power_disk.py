"""A disk as POSIX promises it: what is synced stays, everything else may or may not have arrived."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from campaigns.disk import CLOSE, LINK, MKDIR, OPEN, RENAME, RMDIR, SYNC, TRUNCATE, UNLINK, WRITE

SECTOR = 512
Change = tuple[str, Any]  # ("write", (offset, bytes)) or ("size", bytes)


class File:
    """Bytes that are durable, and changes that are not."""

    def __init__(self) -> None:
        self.durable = b""
        self.pending: list[Change] = []

    def sync(self) -> None:
        content = bytearray(self.durable)
        for change in self.pending:
            apply(content, change)
        self.durable, self.pending = bytes(content), []

    def after(self, rng: np.random.Generator) -> bytes:
        """What may be found."""
        content = bytearray(self.durable)
        mood = rng.random()
        for change in self.pending:
            pick = rng.random()
            if mood < 0.2 or (mood > 0.4 and pick < 0.4):
                apply(content, change)
            elif mood >= 0.4 and change[0] == "write":
                self._torn(content, change[1], pick, rng)
        return bytes(content)

    def _torn(self, content: bytearray, write: tuple[int, bytes], pick: float, rng: np.random.Generator) -> None:
        offset, data = write
        end = offset + len(data)
        if pick < 0.55 and end > len(content):  # the length arrived, the bytes did not
            content.extend(bytes(end - len(content)))
        elif pick < 0.8:
            at = offset
            while at < end:
                until = min(end, (at // SECTOR + 1) * SECTOR)
                if rng.random() < 0.5:
                    apply(content, ("write", (at, data[at - offset : until - offset])))
                at = until


def apply(content: bytearray, change: Change) -> None:
    kind, value = change
    if kind == "size":
        del content[value:]
        content.extend(bytes(value - len(content)))
        return
    offset, data = value
    if offset > len(content):
        content.extend(bytes(offset - len(content)))
    content[offset : offset + len(data)] = data


class Folder:
    """Names that are durable, and changes that are not: lists of (name, what it names now or None), each at once."""

    def __init__(self) -> None:
        self.durable: dict[str, Any] = {}
        self.pending: list[list[tuple[Folder, str, Any]]] = []
        self.now: dict[str, Any] = {}

    def after(self, kept: set[int]) -> dict[str, Any]:
        names = dict(self.durable)
        for changes in self.pending:
            if id(changes) in kept:
                update(names, [change for change in changes if change[0] is self])
        return names


def update(names: dict[str, Any], changes: list[tuple[Folder, str, Any]]) -> None:
    for _, name, node in changes:
        if node is None:
            names.pop(name, None)
        else:
            names[name] = node


class Disk:
    """Everything under one root."""

    def __init__(self) -> None:
        self.root = Folder()
        self.open: dict[int, File | Folder] = {}
        self.folders = [self.root]

    def do(self, call: Any) -> None:
        """What one recorded call has changed."""
        if call.kind == OPEN:
            self._open(call)
        elif call.kind == WRITE:
            self._file(call).pending.append(("write", (call.offset, call.data)))
        elif call.kind == TRUNCATE:
            self._file(call).pending.append(("size", call.offset))
        elif call.kind == SYNC:
            self._sync(self.open[call.handle])
        elif call.kind == CLOSE:
            self.open.pop(call.handle, None)
        elif call.kind == MKDIR:
            made = Folder()
            self.folders.append(made)
            self._change((call.path, made))
        elif call.kind in (UNLINK, RMDIR):
            self._change((call.path, None))
        elif call.kind == RENAME:
            self._change((call.other, self._node(call.path)), (call.path, None))
        elif call.kind == LINK:
            self._change((call.other, self._node(call.path)))

    def _open(self, call: Any) -> None:
        node = self._node(call.path)
        if node is None:
            node = File()
            self._change((call.path, node))
        elif isinstance(node, File) and call.flags & os.O_TRUNC:
            node.pending.append(("size", 0))
        self.open[call.handle] = node

    def _file(self, call: Any) -> File:
        node = self.open[call.handle]
        assert isinstance(node, File)
        return node

    def _sync(self, node: File | Folder) -> None:
        if isinstance(node, File):
            node.sync()
            return
        for changes in list(node.pending):
            for folder in {id(folder): folder for folder, _, _ in changes}.values():
                update(folder.durable, [change for change in changes if change[0] is folder])
                folder.pending = [one for one in folder.pending if one is not changes]

    def _place(self, path: str) -> tuple[Folder, str]:
        folder = self.root
        *parts, name = path.split("/")
        for part in parts:
            folder = folder.now[part]
        return folder, name

    def _node(self, path: str) -> Any:
        if path == ".":
            return self.root
        folder, name = self._place(path)
        return folder.now.get(name)

    def _change(self, *changes: tuple[str, Any]) -> None:
        """Names that change together: all of them are durable once one of their folders is synced."""
        made = [(*self._place(path), node) for path, node in changes]
        for folder, name, node in made:
            update(folder.now, [(folder, name, node)])
            if not any(one is made for one in folder.pending):
                folder.pending.append(made)

    def lay_out(self, place: Path, rng: np.random.Generator) -> None:
        """Write one state that a loss of power may leave."""
        kept: set[int] = set()
        ordered = rng.random() < 0.6  # a journal keeps the order of names
        share = rng.random()
        for folder in self.folders:
            cut = int(rng.integers(len(folder.pending) + 1))
            for number, changes in enumerate(folder.pending):
                if number < cut if ordered else rng.random() < share:
                    kept.add(id(changes))
        bodies: dict[int, bytes] = {}
        self._write(self.root, place, kept, bodies, rng)

    def _write(self, folder: Folder, place: Path, kept: set[int], bodies: dict[int, bytes], rng: Any) -> None:
        place.mkdir(parents=True, exist_ok=True)
        for name, node in folder.after(kept).items():
            if isinstance(node, Folder):
                self._write(node, place / name, kept, bodies, rng)
                continue
            if id(node) not in bodies:
                bodies[id(node)] = node.after(rng)
            (place / name).write_bytes(bodies[id(node)])
