"""How much a browser may send us in one file."""

from __future__ import annotations

from typing import Any

from django.core.files.uploadhandler import FileUploadHandler, SkipFile

LARGEST_UPLOAD = 10 * 2**20  # bytes


class AtMostTenMegabytes(FileUploadHandler):
    """Stands before the handlers that keep a file: what grows beyond the limit is dropped, and the form is told.

    A form finds the names of such files in ``request.META["TOO_LARGE"]``.
    """

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self.seen = 0

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        self.seen += len(raw_data)
        if self.seen > LARGEST_UPLOAD:
            assert self.request is not None
            self.request.META.setdefault("TOO_LARGE", []).append(self.field_name)
            raise SkipFile
        return raw_data

    def file_complete(self, file_size: int) -> None:
        return None
