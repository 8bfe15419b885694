"""Which files go on a client's file: known by their name and by their first bytes, both of which must agree. Pure."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Callable
from pathlib import PurePath

from core.errors import Refused

LARGEST = 10 * 2**20  # bytes
_WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
MEDIA_TYPES = {
    ".pdf": "application/pdf", ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg",
    ".txt": "text/plain", ".csv": "text/csv", ".json": "application/json", ".docx": _WORD,
}  # fmt: skip
ALLOWED = "PDF, PNG, JPEG, Word (DOCX), TXT, CSV or JSON"


def checked_type(name: str, content: bytes) -> str:
    """The media type of a file that may be kept.

    Refused where it is empty, over 10 MB, of a type that is not kept, or where its bytes are not what its name says.

    >>> checked_type("Report 2026.PDF", b"%PDF-1.7 ...")
    'application/pdf'
    >>> checked_type("report.pdf", b"<html>")
    Traceback (most recent call last):
    ...
    core.errors.Refused: “report.pdf” is no PDF inside, whatever its name says. Save it as PDF, ... and try again.
    """
    shown = clean_name(name)
    if not content:
        raise Refused(f"“{shown}” is empty.", code="empty", where="file")
    if len(content) > LARGEST:
        raise Refused(
            f"“{shown}” has {len(content) / 2**20:.1f} MB; 10 MB are the most. Make it smaller, or keep it elsewhere "
            "and note where.",
            code="too_large", where="file",
        )
    ending = PurePath(shown).suffix.lower()
    media = MEDIA_TYPES.get(ending)
    if media is None:
        raise Refused(f"“{shown}” is of a type that is not kept; save it as {ALLOWED}.", code="type", where="file")
    if not _INSIDE[media](content):
        raise Refused(
            f"“{shown}” is no {ending[1:].upper()} inside, whatever its name says. Save it as {ALLOWED}, and try "
            "again.",
            code="type", where="file",
        )
    return media


def clean_name(name: str) -> str:
    """The last part of a path, without what a name must not have, at most 150 characters; the ending is kept.

    >>> clean_name("C:\\\\scans\\\\tax form.pdf"), clean_name("../../etc/passwd"), clean_name("")
    ('tax form.pdf', 'passwd', 'document')
    """
    last = re.split(r"[/\\\\]", name)[-1]
    kept = "".join(char for char in last if char.isprintable() and char not in '"<>|:*?').strip(" .")
    if len(kept) > 150:
        ending = PurePath(kept).suffix[:10]
        kept = kept[: 150 - len(ending)] + ending
    return kept or "document"


def _is_text(content: bytes) -> bool:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("latin-1")  # what a spreadsheet of ours still writes
    return not re.search(r"[\x00-\x08\x0b\x0e-\x1f\x7f]", text)


def _is_json(content: bytes) -> bool:
    try:
        json.loads(content)
    except (ValueError, RecursionError):
        return False
    return True


def _is_word(content: bytes) -> bool:
    """A Word document without macros: those have a file of their own inside."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
        return False
    return {"[Content_Types].xml", "word/document.xml"} <= names and not any("vbaproject" in n.lower() for n in names)


_INSIDE: dict[str, Callable[[bytes], bool]] = {
    "application/pdf": lambda content: b"%PDF-" in content[:1024],
    "image/png": lambda content: content.startswith(b"\x89PNG\r\n\x1a\n"),
    "image/jpeg": lambda content: content.startswith(b"\xff\xd8\xff"),
    "text/plain": _is_text, "text/csv": _is_text, "application/json": _is_json, _WORD: _is_word,
}  # fmt: skip
