"""How a letter leaves: by SMTP, by a mail provider (providers.py), or into a folder where neither is configured.

A transport calls ``before_body`` at the last moment at which nothing can have arrived yet: between the server's 354
and the body. What goes wrong before it may be tried again; a connection that dies after it leaves us not knowing.
"""

from __future__ import annotations

import os
import re
import smtplib
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from django.conf import settings
from django.core.mail.backends.smtp import EmailBackend

from .letter import Letter
from .replies import is_for_ever, speaks_of_the_address

LONGEST_LOOK = 120  # seconds; servers look through a mail before they answer to its last dot
NOT_LET_IN = (530, 534, 535, 538)  # RFC 4954: about our account, not about the message


class Unreachable(Exception):
    """The server cannot be reached or does not let us in; nothing was handed over."""


class Rejected(Exception):
    """The server said no to this message, definitely: for ever (5xx) or for now (4xx).

    ``address`` is the addressee's where that is what is no good.
    """

    def __init__(self, reply: str, *, for_ever: bool, address: str = "") -> None:
        super().__init__(reply)
        self.for_ever = for_ever
        self.address = address


class Lost(Exception):
    """The connection ended after the body began: it may have arrived or not."""


@dataclass(frozen=True)
class Taken:
    """What the server said to a letter it took, its own id for it, and which readers' addresses it said are no good."""

    said: str
    provider_id: str = ""
    refused: tuple[tuple[str, str], ...] = ()


class Transport(Protocol):
    def open(self) -> bool:
        """Reach the server, or raise Unreachable; True where the connection is a new one."""

    def hand_over(self, letter: Letter, before_body: Callable[[], None]) -> Taken:
        """Deliver the letter and answer with the server's words; raises Unreachable, Rejected or Lost.

        What ``before_body`` raises passes through, and then not a byte of the body has left.
        """

    def close(self) -> None:
        """Say goodbye."""


def current() -> Transport:
    """The transport this installation is configured for."""
    if settings.MAIL_TRANSPORT == "provider":
        from .providers import Provider

        return Provider(settings.MAIL_PROVIDER)
    return Smtp() if settings.MAIL_TRANSPORT == "smtp" else Folder(Path(settings.MAIL_DIR))


class _HaltBeforeBody:
    """smtplib's DATA with a halt between the server's 354 and the first byte of the body."""

    before_body: Callable[[], None]

    def data(self: Any, msg: bytes) -> tuple[int, bytes]:
        code, reply = self.docmd("data")
        if code != 354:
            return code, reply
        self.before_body()
        body = re.sub(rb"(?m)^\.", b"..", msg)
        self.send(body + (b"" if body.endswith(b"\r\n") else b"\r\n") + b".\r\n")
        self.sock.settimeout(LONGEST_LOOK)
        answer: tuple[int, bytes] = self.getreply()
        self.sock.settimeout(self.timeout)
        return answer


class _SMTP(_HaltBeforeBody, smtplib.SMTP):  # type: ignore[misc]
    pass


class _SMTPOverTLS(_HaltBeforeBody, smtplib.SMTP_SSL):  # type: ignore[misc]
    pass


class _Backend(EmailBackend):
    @property
    def connection_class(self) -> type[smtplib.SMTP]:
        return _SMTPOverTLS if self.use_ssl else _SMTP


class Smtp:
    """One connection for a whole drain, opened again where the server has meanwhile closed it."""

    def __init__(self) -> None:
        self.backend = _Backend()
        self.begun = False

    def open(self) -> bool:
        try:
            return bool(self.backend.open())
        except OSError as error:  # smtplib's own exceptions are OSErrors too
            self._drop()
            raise Unreachable(_words(error)) from error

    def hand_over(self, letter: Letter, before_body: Callable[[], None]) -> Taken:
        is_new = self.open()
        try:
            return self._say(letter, before_body)
        except Rejected:
            raise
        except OSError as error:
            self._drop()
            if self.begun:
                raise Lost(_words(error)) from error
            if is_new:
                raise Unreachable(_words(error)) from error
        except BaseException:
            self._drop()
            raise
        return self.hand_over(letter, before_body)

    def close(self) -> None:
        try:
            self.backend.close()
        except OSError:
            self._drop()

    def _drop(self) -> None:
        """Close without a word: after a 354 even QUIT would be read as part of a letter."""
        if self.backend.connection is not None:
            self.backend.connection.close()
            self.backend.connection = None

    def _say(self, letter: Letter, before_body: Callable[[], None]) -> Taken:
        smtp: Any = self.backend.connection
        self.begun = False

        def begin() -> None:
            before_body()
            self.begun = True

        smtp.before_body = begin
        smtp.ehlo_or_helo_if_needed()
        self._expect(smtp.mail(letter.sender, [f"size={len(letter.content)}"] if smtp.has_extn("size") else []))
        addressee, *copies = letter.recipients
        self._expect(smtp.rcpt(addressee), addressee)
        unwanted, refused = "", []
        for copy in copies:
            code, reply = smtp.rcpt(copy)
            if code // 100 != 2:
                unwanted += f"; copy to {copy} refused: {_reply(code, reply)}"
                if speaks_of_the_address(_reply(code, reply)):
                    refused.append((copy, _reply(code, reply)))
        return Taken(self._expect(smtp.data(letter.content)) + unwanted, refused=tuple(refused))

    def _expect(self, answer: tuple[int, bytes], address: str = "") -> str:
        code, reply = answer
        said = _reply(code, reply)
        if code // 100 == 2:
            return said
        if code // 100 not in (4, 5):
            raise smtplib.SMTPServerDisconnected(f"The server answered {said!r}, which is no answer.")
        if code in NOT_LET_IN and not self.begun:
            raise smtplib.SMTPServerDisconnected(said)
        if code == 421:
            self._drop()
        else:
            self._start_afresh()
        for_ever = is_for_ever(said, of_a_reader=bool(address))
        raise Rejected(said, for_ever=for_ever, address=address if speaks_of_the_address(said) else "")

    def _start_afresh(self) -> None:
        """The connection is good for the next letter, or gone."""
        smtp: Any = self.backend.connection
        try:
            smtp.rset()
        except OSError:
            self._drop()


class Folder:
    """Letters as .eml files; the name carries the Message-ID, so that a second writing of one letter would show."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def open(self) -> bool:
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise Unreachable(str(error)) from error
        return True

    def hand_over(self, letter: Letter, before_body: Callable[[], None]) -> Taken:
        self.open()
        try:
            handle, written = tempfile.mkstemp(dir=self.folder, suffix=".part")
            with os.fdopen(handle, "wb") as file:
                file.write(letter.content)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise Unreachable(str(error)) from error
        try:
            before_body()
            return Taken(f"written to {self._name(written, letter)}")
        except OSError as error:
            raise Rejected(str(error), for_ever=False) from error
        finally:
            os.unlink(written)

    def close(self) -> None:
        pass

    def _name(self, written: str, letter: Letter) -> str:
        """Give the file its name in one step, never over another."""
        stem = f"{letter.at:%Y%m%d-%H%M%S}-{letter.message_id.strip('<>').partition('@')[0]}"
        for again in ("", *(f"-{n}" for n in range(2, 100))):
            try:
                os.link(written, self.folder / f"{stem}{again}.eml")
            except FileExistsError:
                continue
            return f"{stem}{again}.eml"
        raise OSError(f"{stem}.eml was written a hundred times.")


def _reply(code: int, reply: bytes) -> str:
    return f"{code} {reply.decode('utf-8', 'replace')}".strip()


def _words(error: OSError) -> str:
    """The server's own words where it said some."""
    if isinstance(error, smtplib.SMTPResponseException):
        said = error.smtp_error
        return _reply(error.smtp_code, said if isinstance(said, bytes) else str(said).encode())
    return str(error) or type(error).__name__
