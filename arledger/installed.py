"""What the set-up page wrote down: settings in DATA_DIR/installed.env. The environment and `.env` come before it."""

import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path


def read_installed(path: Path) -> dict[str, str]:
    """The settings in the file, name by name; none where there is no file yet."""
    if not path.exists():
        return {}
    lines = (line.partition("=") for line in path.read_text().splitlines() if not line.startswith("#"))
    return {name: value for name, _, value in lines if name}


def write_installed(path: Path, settings: Mapping[str, str]) -> None:
    """Write the settings down whole or not at all, for the owner's eyes only; empty ones are left out.

    ValueError for a name or a value that would not read back as it is.
    """
    kept = {name: value for name, value in settings.items() if value}
    for name, value in kept.items():
        if not re.fullmatch(r"[A-Z_]+", name) or "\n" in value or "\r" in value:
            raise ValueError(f"{name} cannot be written down as one line.")
    lines = ["# Written by the set-up page; the environment and .env come before it."]
    lines += [f"{name}={value}" for name, value in kept.items()]
    descriptor, draft = tempfile.mkstemp(dir=path.parent)  # readable by its owner alone
    with os.fdopen(descriptor, "w") as file:
        file.write("\n".join(lines) + "\n")
        file.flush()
        os.fsync(file.fileno())
    os.replace(draft, path)
