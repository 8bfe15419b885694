"""A cache of files that the processes of one machine share, in which counting is exact."""

from __future__ import annotations

import fcntl
import pickle
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.cache.backends.filebased import FileBasedCache


class SharedFileCache(FileBasedCache):
    """Django's cache of files, with ``add`` and ``incr`` one process at a time; counting keeps the time of expiry.

    Keys are file names by their hash, so that no address lies on the disk in the clear.
    """

    def add(self, key: Any, value: Any, timeout: Any = None, version: int | None = None) -> bool:
        with self._alone():
            added: bool = super().add(key, value, timeout, version)
            return added

    def incr(self, key: Any, delta: int = 1, version: int | None = None) -> int:
        with self._alone():
            path = Path(self._key_to_file(key, version))  # type: ignore[attr-defined]
            try:
                expires_at, value = self._read(path)
            except (FileNotFoundError, EOFError):
                expires_at, value = 0.0, None
            if value is None or (expires_at is not None and expires_at <= time.time()):
                raise ValueError(f"Key '{key}' not found")
            left = None if expires_at is None else expires_at - time.time()
            self.set(key, value + delta, timeout=left, version=version)
            counted: int = value + delta
            return counted

    def _read(self, path: Path) -> tuple[float | None, Any]:
        with path.open("rb") as file:
            expires_at = pickle.load(file)  # noqa: S301 - our own files, in a folder of our own
            return expires_at, pickle.loads(zlib.decompress(file.read()))  # noqa: S301

    @contextmanager
    def _alone(self) -> Iterator[None]:
        self._createdir()  # type: ignore[attr-defined]
        with (Path(self._dir) / ".lock").open("a") as lock:  # type: ignore[attr-defined]
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
