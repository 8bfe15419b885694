"""The process that turns HTML into PDF: no Django, no secrets, no network, and only so much memory and time.

It reads one request after the other from its standard input and answers on its standard output, each behind its
length, so that a drain of many messages pays for one start. Started by ``invoices.pdf`` alone.
"""

from __future__ import annotations

import base64
import datetime as dt
import gc
import io
import json
import resource
import struct
import sys
from email.message import EmailMessage
from typing import Any, BinaryIO
from urllib.request import DataHandler, Request
from xml.etree import ElementTree

from . import factur_x
from .pdf_kept import Kept

MEMORY = 1 << 30  # bytes of address space
CPU_SECONDS = 30  # per document
SWEEP_EVERY = 10  # documents
SHEETS_AT_MOST = 50  # parsed stylesheets kept: two designs in the colours of as many companies
LENGTH = struct.Struct(">I")


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer requests until the other side closes."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    press = Press()
    while (request := read_frame(requests)) is not None:
        _allow_cpu(CPU_SECONDS)
        try:
            answer = b"\0" + press.print(json.loads(request))
        except Exception as error:  # the caller hears the reason and starts a fresh process
            answer = b"\1" + f"{type(error).__name__}: {error}".encode()
        write_frame(answers, answer)


class Press:
    """WeasyPrint with fonts, parsed stylesheets and styles (``pdf_kept``) kept from one document to the next."""

    def __init__(self) -> None:
        from weasyprint.text.fonts import FontConfiguration

        self.fonts = FontConfiguration()
        self.kept = Kept()
        self.sheets: dict[tuple[str, str], Any] = {}
        self.printed = 0

    def print(self, job: dict[str, Any]) -> bytes:
        """The PDF/A-3b of a job, equal bytes for an equal job.

        A job is ``html``, ``stylesheets`` {address: text}, ``files`` {address: path}, ``identifier``, and where an
        e-invoice goes into it, ``xml`` (base64) with the ``day`` of the document.
        """
        fetcher = deny_all_fetcher(job["files"])
        sheets = [self._sheet(address, text, fetcher) for address, text in job["stylesheets"].items()]
        # A layout leaves cycles behind; looking for them in the middle of the next one costs a tenth of the time.
        gc.disable()
        try:
            with self.kept.in_force():
                printed: bytes = _page(job["html"], fetcher).write_pdf(
                    stylesheets=sheets,
                    font_config=self.fonts,
                    presentational_hints=False,
                    pdf_identifier=job["identifier"].encode(),
                    pdf_tags=True,
                    pdf_variant="pdf/a-3b",
                    **_with_xml(job),
                )
        finally:
            gc.enable()
        self.printed += 1
        if self.printed == 1:  # what is there now, modules and fonts, stays: no later search goes through it again
            gc.collect()
            gc.freeze()
        elif self.printed % SWEEP_EVERY == 0:
            gc.collect()
        return printed

    def _sheet(self, address: str, text: str, fetcher: Any) -> Any:
        from weasyprint import CSS

        if (address, text) not in self.sheets:
            if len(self.sheets) >= SHEETS_AT_MOST:
                self.sheets.clear()
            self.sheets[address, text] = CSS(
                string=text, base_url=address, url_fetcher=fetcher, font_config=self.fonts
            )
        return self.sheets[address, text]


def _page(html: str, fetcher: Any) -> Any:
    """The document as WeasyPrint takes it. Our templates are XML, and its reader for that is the quick one."""
    from cssselect2 import ElementWrapper  # type: ignore[import-untyped]
    from weasyprint import HTML

    class Ours(HTML):  # type: ignore[misc]
        """A page of our templates, under no stylesheet but ours."""

        def __init__(self, root: ElementTree.Element) -> None:
            self.base_url, self.url_fetcher, self.media_type = "about:blank", fetcher, "print"
            self.wrapper_element = ElementWrapper.from_html_root(root, content_language=None)
            self.etree_element = self.wrapper_element.etree_element

        def _ua_stylesheets(self, forms: bool = False) -> list[Any]:
            return []

    try:
        return Ours(ElementTree.fromstring(html))  # noqa: S314 - no entity can be declared
    except ElementTree.ParseError:
        return HTML(string=html, base_url="about:blank", url_fetcher=fetcher, media_type="print")


def _with_xml(job: dict[str, Any]) -> dict[str, Any]:
    if not job.get("xml"):
        return {}
    file = factur_x.attachment(base64.b64decode(job["xml"]), dt.date.fromisoformat(job["day"]))
    return {"attachments": [file], "finisher": factur_x.complete}


def deny_all_fetcher(files: dict[str, str]) -> Any:
    """A fetcher that opens ``data:`` addresses and exactly the named files; everything else is refused unasked."""
    from weasyprint.urls import URLFetcher, URLFetcherResponse

    class OnlyOurs(URLFetcher):  # type: ignore[misc]
        def fetch(self, url: str, headers: Any = None) -> Any:
            if url in files:
                with open(files[url], "rb") as file:
                    return URLFetcherResponse(url, file.read())
            if url[:5].lower() == "data:":
                answer = DataHandler().data_open(Request(url))  # noqa: S310 - decodes the address itself, opens nothing
                kept = EmailMessage()
                kept["Content-Type"] = answer.headers["Content-Type"]
                return URLFetcherResponse(url, answer.read(), kept)
            raise ValueError("Documents use our own files only.")

        def open(self, url: Any, data: Any = None, timeout: Any = None) -> Any:
            return self.fetch(url.full_url if isinstance(url, Request) else url)

    return OnlyOurs(allowed_protocols=(), allow_redirects=False)


def read_frame(stream: BinaryIO) -> bytes | None:
    """The next message behind its length, or nothing at the end."""
    head = stream.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    return stream.read(LENGTH.unpack(head)[0])


def write_frame(stream: BinaryIO, message: bytes) -> None:
    """Write a message behind its length."""
    stream.write(LENGTH.pack(len(message)) + message)
    stream.flush()


def _allow_cpu(seconds: int) -> None:
    """Let this process compute so much longer; the kernel ends it afterwards."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    limit = int(used.ru_utime + used.ru_stime) + seconds + 1
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (limit, hard))


if __name__ == "__main__":
    answers_to, sys.stdout = sys.stdout.buffer, io.TextIOWrapper(sys.stderr.buffer)  # nothing stray between answers
    serve(sys.stdin.buffer, answers_to)
