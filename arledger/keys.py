"""Keys of an installation on one's own machine: made on the first run, kept in files that only the owner reads."""

import contextlib
import os
import secrets
from pathlib import Path


def own_key(data_dir: Path, name: str) -> str:
    """The key of this name in the data folder, made on first use; two processes that start at once get the same."""
    folder = data_dir / "keys"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / name
    if not path.exists():
        draft = folder / f".{name}.{os.getpid()}"
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(64))
        with contextlib.suppress(FileExistsError):  # another process was first: its key stands
            os.link(draft, path)
        draft.unlink()
    return path.read_text().strip()
