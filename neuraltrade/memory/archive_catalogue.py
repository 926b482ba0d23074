"""The catalogue of an archive: pages that are written once and never changed, each named by its own checksum.

A put writes a page with one entry, a delete a page with what it removes. What the archive holds is the union of all
pages' entries less the union of their removals, so writers that know nothing of each other lose nothing, in any order.
Pages are merged into one now and then; removals stay, or a merge by someone who had not seen one would undo it.
"""

from __future__ import annotations

import secrets
import threading
from typing import Any

import msgspec
from blake3 import blake3

from ..errors import FormatTooNew, LogCorrupt
from .archive_files import Files

FORMAT = 1
FOLDER = "catalogue"
MERGE_PAGES = 64  # so many pages become one


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """Something kept: its id (BLAKE3 of kind and content), under which name, since when, how large."""

    id: str
    name: str
    kind: str  # bytes, table, result
    bytes: int  # of the content
    stored_bytes: int  # of the file
    stored_blake3: str
    created_ns: int
    metadata: dict[str, Any] = {}
    entry: str = msgspec.field(default_factory=lambda: secrets.token_hex(8))

    def says_as_much_as(self, other: Entry) -> bool:
        """Whether the two differ in when and by whom they were written at most."""
        return msgspec.structs.replace(self, created_ns=other.created_ns, entry=other.entry) == other


class Removal(msgspec.Struct, frozen=True):
    """An entry that was deleted, and when."""

    entry: str
    id: str
    at_ns: int


class Page(msgspec.Struct, kw_only=True):
    """One file of the catalogue."""

    format: int = FORMAT
    entries: list[Entry] = []
    removals: list[Removal] = []


class _Version(msgspec.Struct):
    format: int


class Catalogue:
    """What the pages say together. `refresh` reads pages that are new; pages read once are kept."""

    def __init__(self, files: Files) -> None:
        self.files = files
        self.lock = threading.RLock()
        self.pages: dict[str, Page] = {}
        self.damaged: dict[str, str] = {}  # page -> what is wrong with it
        self.refresh()

    def refresh(self) -> None:
        """Read what is new. A page that went away while it was read was merged into one that is there: look again.
        Raises FormatTooNew.
        """
        with self.lock:
            missing: set[str] = set()
            while True:
                names = [name for name in self.files.names(FOLDER) if name.endswith(".json")]
                self.pages = {name: page for name, page in self.pages.items() if name in names}
                self.damaged = {}
                went = {name for name in names if name not in self.pages and not self._read(name)}
                for name in went & missing:
                    self.damaged[name] = "listed, but not there"
                if went <= missing:
                    return
                missing = went

    def check(self) -> int:
        """Read every page again; how many there are. Raises LogCorrupt, FormatTooNew."""
        with self.lock:
            self.pages = {}
            self.refresh()
            self.refuse_damage()
            return len(self.pages)

    def refuse_damage(self) -> None:
        """Raises LogCorrupt where a page could not be read: an answer would miss what it holds."""
        if self.damaged:
            name, problem = next(iter(self.damaged.items()))
            more = f" (and {len(self.damaged) - 1} more)" if len(self.damaged) > 1 else ""
            raise LogCorrupt(f"{self.files.where(name)}: {problem}{more}; restore it from a copy, or remove it "
                             "and lose the names it holds")  # fmt: skip

    def entries(self) -> list[Entry]:
        """What is held, oldest first."""
        with self.lock:
            found = {one.entry: one for page in self.pages.values() for one in page.entries}
            gone = {one.entry for page in self.pages.values() for one in page.removals}
        held = [one for entry, one in found.items() if entry not in gone]
        return sorted(held, key=lambda one: (one.created_ns, one.entry))

    def removals(self) -> list[Removal]:
        """Everything that was ever deleted."""
        with self.lock:
            return list({one.entry: one for page in self.pages.values() for one in page.removals}.values())

    def append(self, page: Page) -> None:
        """Add a page; merge when there are many."""
        with self.lock:
            self._write(page)
            if len(self.pages) > MERGE_PAGES:
                self.merge()

    def merge(self) -> None:
        """All pages as one: first the whole, then the parts go. Damaged pages stay."""
        with self.lock:
            self.refresh()
            parts = list(self.pages)
            if len(parts) > 1:
                whole = self._write(Page(entries=self.entries(), removals=self.removals()))
                for name in parts:
                    if name != whole:
                        self.files.remove(name)
                        del self.pages[name]

    def _write(self, page: Page) -> str:
        body = msgspec.json.encode(page)
        name = f"{FOLDER}/{blake3(body).hexdigest()}.json"
        self.files.write(name, body)
        self.pages[name] = page
        return name

    def _read(self, name: str) -> bool:
        """Whether the page was there; what it says is kept, and so is what is wrong with it."""
        try:
            body = self.files.read(name)
        except FileNotFoundError:
            return False
        if f"{FOLDER}/{blake3(body).hexdigest()}.json" != name:
            self.damaged[name] = f"the checksum of {len(body)} bytes differs from the one in its name"
            return True
        try:
            version = msgspec.json.decode(body, type=_Version).format
            if version > FORMAT:
                raise FormatTooNew(
                    f"{self.files.where(name)}: format {version} is newer than {FORMAT}, the newest this version "
                    "reads; upgrade neuraltrade"
                )
            self.pages[name] = msgspec.json.decode(body, type=Page)
        except (msgspec.DecodeError, msgspec.ValidationError) as error:
            self.damaged[name] = f"not a page of a catalogue: {error}"
        return True
