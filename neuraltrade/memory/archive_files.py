"""Where an archive's files lie: a local folder, or any place that fsspec reaches. Five verbs over names like
"objects/ab/abcd.zst".

A file appears whole or not at all. Locally: written beside its place, fsynced, renamed, the folder fsynced. On an
object store an upload is atomic; everywhere else the upload goes to a scratch name and is renamed.
"""

from __future__ import annotations

import os
import re
import secrets
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from ..clock import as_ns
from ..errors import DependencyMissing, InputError

SCRATCH = ".tmp"  # what a killed writer may leave behind ends so
WHOLE_UPLOADS = {"s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "adl", "oss", "memory"}  # an upload is seen whole


class Files(Protocol):
    """The verbs. Names are relative, with slashes; a missing file is FileNotFoundError."""

    shown: str  # for messages: the place without passwords

    def read(self, name: str) -> bytes:
        """The whole file."""
        ...

    def write(self, name: str, body: bytes) -> None:
        """Put a whole file under its name, over what stands there; as durable as the place can make it."""
        ...

    def size(self, name: str) -> int | None:
        """Bytes of a file, None where there is none."""
        ...

    def names(self, folder: str) -> list[str]:
        """Names of the files below a folder ("" for all), at any depth; none where it is missing."""
        ...

    def modified_ns(self, name: str) -> int:
        """When a file was written last, by the clock of the place."""
        ...

    def remove(self, name: str) -> None:
        """Remove a file; one that is gone already is fine."""
        ...

    def where(self, name: str) -> str:
        """Path or URL under which other programs find the file."""
        ...


class LocalFiles:
    """A folder of this machine."""

    def __init__(self, folder: Path, make: bool) -> None:
        self.folder = folder
        self.shown = str(folder)
        if folder.exists() and not folder.is_dir():
            raise InputError(f"url must name a folder, {folder} is a file")
        if make:
            folder.mkdir(parents=True, exist_ok=True)

    def read(self, name: str) -> bytes:
        """The whole file."""
        return (self.folder / name).read_bytes()

    def write(self, name: str, body: bytes) -> None:
        """Scratch file, fsync, rename, fsync of the folders."""
        path = self.folder / name
        fresh = [folder for folder in (path.parent, *path.parent.parents) if not folder.exists()]
        path.parent.mkdir(parents=True, exist_ok=True)
        scratch = path.with_name(f"{path.name}.{secrets.token_hex(6)}{SCRATCH}")
        try:
            with open(scratch, "xb") as file:
                file.write(body)
                file.flush()
                os.fsync(file.fileno())
            os.replace(scratch, path)
        except BaseException:
            scratch.unlink(missing_ok=True)
            raise
        for folder in (path.parent, *(made.parent for made in fresh)):
            _sync(folder)

    def size(self, name: str) -> int | None:
        """Bytes of a file, None where there is none."""
        try:
            return (self.folder / name).stat().st_size
        except FileNotFoundError:
            return None

    def names(self, folder: str) -> list[str]:
        """Names below a folder."""
        return sorted(
            (Path(parent) / name).relative_to(self.folder).as_posix()
            for parent, _, names in os.walk(self.folder / folder)
            for name in names
        )

    def modified_ns(self, name: str) -> int:
        """The file's mtime."""
        return (self.folder / name).stat().st_mtime_ns

    def remove(self, name: str) -> None:
        """Remove a file."""
        (self.folder / name).unlink(missing_ok=True)

    def where(self, name: str) -> str:
        """The path."""
        return str(self.folder / name)


class RemoteFiles:
    """Whatever fsspec opens: memory://, s3://, sftp://, zip:// ..."""

    def __init__(self, url: str, options: dict[str, Any], make: bool) -> None:
        try:
            from fsspec.core import url_to_fs  # noqa: PLC0415  (an extra, and slow to import)
        except ImportError as error:
            raise DependencyMissing("an archive at a URL needs fsspec: pip install 'neuraltrade[cold]'") from error
        self.shown = hide_password(url)  # what fsspec makes of it may lack the host
        try:
            self.fs, root = url_to_fs(url, **options)
        except ImportError as error:  # fsspec's own words name the package for the protocol
            raise DependencyMissing(f"{self.shown}: {error}") from error
        except (ValueError, TypeError, FileNotFoundError) as error:
            raise InputError(f"url must be one that fsspec opens, was {self.shown!r}: {error}") from error
        self.root = str(root).rstrip("/")
        protocols = {self.fs.protocol} if isinstance(self.fs.protocol, str) else set(self.fs.protocol)
        self._rename = not protocols & WHOLE_UPLOADS
        if make and self.root:
            self.fs.makedirs(self.root, exist_ok=True)

    def read(self, name: str) -> bytes:
        """The whole file."""
        try:
            return bytes(self.fs.cat_file(self._path(name)))
        except (KeyError, NotADirectoryError) as error:  # archives of files say so
            raise FileNotFoundError(name) from error

    def write(self, name: str, body: bytes) -> None:
        """Upload whole: at once where that is atomic, else under a scratch name that is then renamed."""
        path = self._path(name)
        self.fs.makedirs(path.rsplit("/", 1)[0], exist_ok=True)
        if not self._rename:
            self.fs.pipe_file(path, body)
            return
        scratch = f"{path}.{secrets.token_hex(6)}{SCRATCH}"
        try:
            self.fs.pipe_file(scratch, body)
            self.fs.mv(scratch, path)
        except BaseException:
            if self.fs.exists(scratch):
                self.fs.rm_file(scratch)
            raise

    def size(self, name: str) -> int | None:
        """Bytes of a file, None where there is none."""
        self._forget()
        try:
            info = self.fs.info(self._path(name))
        except FileNotFoundError:
            return None
        return int(info["size"]) if info["type"] == "file" else None

    def names(self, folder: str) -> list[str]:
        """Names below a folder."""
        self._forget()
        place = self._path(folder) if folder else self.root
        found: Any = None
        while found is None:
            try:
                found = self.fs.find(place)
            except FileNotFoundError:
                return []
            except KeyError:  # memory://: one went while they were listed
                continue
        cut = len(self.root) + 1 if self.root else 0
        return sorted(str(path)[cut:] for path in found)

    def modified_ns(self, name: str) -> int:
        """What the place says of the file. Raises InputError where it does not say."""
        try:
            moment = self.fs.modified(self._path(name))
        except RuntimeError as error:  # not implemented there
            raise InputError(f"{self.shown} keeps no times of files: give older_than_s=0 to collect all") from error
        return as_ns(moment) if isinstance(moment, datetime) else int(float(moment) * 1e9)

    def remove(self, name: str) -> None:
        """Remove a file."""
        try:
            self.fs.rm_file(self._path(name))
        except FileNotFoundError:
            return

    def where(self, name: str) -> str:
        """The URL, without a password that the archive's URL may hold."""
        if "::" not in self.shown:
            return f"{self.shown.rstrip('/')}/{name}"
        first, _, rest = self.shown.partition("::")
        return f"{first if first.endswith('/') else first + '/'}{name}::{rest}"

    def _path(self, name: str) -> str:
        return f"{self.root}/{name}" if self.root else name

    def _forget(self) -> None:
        """Listings may be cached, and other writers' files must be seen."""
        self.fs.invalidate_cache()


def open_files(url: Any, options: dict[str, Any], make: bool) -> Files:
    """The files of a path or URL. Raises InputError, DependencyMissing."""
    if not isinstance(url, str | os.PathLike) or not os.fspath(url) or isinstance(os.fspath(url), bytes):
        raise InputError(f"url must be a path or a URL, was {url!r}")
    text = str(os.fspath(url))
    if "\0" in text:
        raise InputError(f"url must be a path or a URL, was {text!r}")
    if text.startswith("file://"):
        text = text.removeprefix("file://")
    elif "://" in text or "::" in text:
        return RemoteFiles(text, options, make)
    if options:
        raise InputError(f"{next(iter(options))} is an option of a URL, and {text!r} is a local folder")
    return LocalFiles(Path(text).absolute(), make)


def hide_password(url: str) -> str:
    """The URL without user and password."""
    return re.sub(r"//[^/@]*@", "//", url)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
