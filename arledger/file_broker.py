"""The broker of files, made safe for a reader that looks while a message is being written.

Kombu's own transport creates a message under its final name and fills it afterwards; a worker that lists the folder
in between reads an empty file and dies. Here a message gets its name once it is whole.
"""

import os
from pathlib import Path
from time import monotonic_ns
from typing import Any
from uuid import uuid4

from kombu.transport import filesystem
from kombu.utils import json


class Channel(filesystem.Channel):
    def _put(self, queue: str, payload: dict[str, Any], **kwargs: Any) -> None:  # type: ignore[override]
        name = f"{monotonic_ns()}_{uuid4()}"
        folder = Path(self.data_folder_out)
        draft = folder / f"{name}.draft"
        draft.write_text(json.dumps(payload))  # type: ignore[no-untyped-call]
        os.replace(draft, folder / f"{name}.{queue}.msg")


class Transport(filesystem.Transport):
    Channel = Channel
