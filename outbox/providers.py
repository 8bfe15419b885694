"""How a letter leaves by a mail provider's API, through django-anymail: one request per letter, repeated by nobody.

The request is the body: up to it everything may be tried again, an answer is definite, no answer leaves us not knowing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import requests
import urllib3.exceptions
from anymail.exceptions import AnymailError, AnymailRecipientsRefused
from django.core.mail import EmailMultiAlternatives
from django.utils.module_loading import import_string

from .esps import ESPS
from .letter import Letter, file_name, mailbox
from .transport import Lost, Rejected, Taken, Unreachable

LOOK = 10  # seconds within which the provider has to answer that it is there
NEVER_LEFT = (
    urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError, urllib3.exceptions.SSLError,
)  # fmt: skip
NO = ("invalid", "rejected")


class Provider:
    """One session for a whole drain."""

    def __init__(self, name: str) -> None:
        self.label = ESPS[name].label
        self.backend: Any = import_string(f"anymail.backends.{name}.EmailBackend")()
        self.request: Callable[..., Any] | None = None

    def open(self) -> bool:
        """Ask once a drain whether the provider answers at all, before a message is claimed."""
        if not self.backend.open():
            return False
        self.request = self.backend.session.request
        try:
            self.request(method="HEAD", url=self.backend.api_url, timeout=LOOK, allow_redirects=False)
        except requests.RequestException as error:
            self.close()
            raise Unreachable(f"{self.label} cannot be reached: {_last_words(error)}") from error
        return True

    def hand_over(self, letter: Letter, before_body: Callable[[], None]) -> Taken:
        self.open()
        mail, begun = _mail(letter), False

        def last_moment(**asked: Any) -> Any:
            nonlocal begun
            if not begun:
                before_body()
                begun = True
            assert self.request is not None
            return self.request(**asked)

        self.backend.session.request = last_moment
        try:
            self.backend.send_messages([mail])
        except AnymailRecipientsRefused as error:
            raise Rejected(_statuses(mail), for_ever=True, address=letter.recipients[0]) from error
        except AnymailError as error:
            raise self._meaning(error, begun) from error
        status = mail.anymail_status  # type: ignore[attr-defined]
        if status.esp_response.status_code >= 400:  # an error whose words anymail could not make out
            raise Rejected(f"{self.label}: {status.esp_response.text[:300]}", for_ever=True)
        readers = status.recipients.items()
        refused = tuple((address, f"{self.label}: {said.status}") for address, said in readers if said.status in NO)
        first = status.recipients.get(letter.recipients[0])
        taken_as = (first.message_id if first else "") or ""
        return Taken(f"{self.label}: {_statuses(mail)}", provider_id=str(taken_as), refused=refused)

    def close(self) -> None:
        self.backend.close()
        self.request = None

    def _meaning(self, error: AnymailError, begun: bool) -> Exception:
        """What it means for the message: refused, to be tried later, we are not let in, or nobody knows."""
        answer = getattr(error, "response", None)
        words = f"{self.label}: {_last_words(error)}"
        if not begun:  # the letter cannot be written the way this provider wants it
            return Rejected(words, for_ever=True)
        if answer is None:
            never_left = any(isinstance(why, NEVER_LEFT) for why in _causes(error))
            return Unreachable(words) if never_left else Lost(words)
        words = f"{self.label}: {answer.status_code} {answer.text[:300]}".strip()
        if answer.status_code in (401, 403):
            return Unreachable(words)
        if answer.status_code == 429:
            return Rejected(words, for_ever=False)
        return Rejected(words, for_ever=True) if 400 <= answer.status_code < 500 else Lost(words)


def _mail(letter: Letter) -> EmailMultiAlternatives:
    """The letter as anymail takes it, from the addresses and words that were held to our rules already."""
    parts = letter.parts
    assert parts is not None
    to, *copies = letter.recipients
    mail = EmailMultiAlternatives(
        subject=parts.subject,
        body=parts.text,
        from_email=str(letter.own),
        to=[str(mailbox(parts.to_name, to))],
        cc=copies,
        reply_to=[str(mailbox(parts.from_name, parts.reply_to))] if parts.reply_to else None,
        headers={"Message-ID": letter.message_id, "Auto-Submitted": "auto-generated"},
    )
    if parts.html:
        mail.attach_alternative(parts.html, "text/html")
    for name, media_type, content in parts.attachments:
        mail.attach(file_name(name), content, media_type)
    mail.metadata = {"outbox": letter.key}  # type: ignore[attr-defined]
    return mail


def _statuses(mail: EmailMultiAlternatives) -> str:
    """What the provider said of each reader."""
    said = mail.anymail_status.recipients  # type: ignore[attr-defined]
    return ", ".join(f"{address} {status.status}" for address, status in said.items())


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """An error and what it came from; urllib3 keeps its reason in a field of its own."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        known = [getattr(error, "reason", None), *error.args, error.__cause__, error.__context__]
        error = next((why for why in known if isinstance(why, BaseException)), None)


def _last_words(error: BaseException) -> str:
    """The innermost reason, without the address that was asked (a key may stand in it)."""
    *_others, last = _causes(error)
    return (str(last) or type(last).__name__)[:300]
