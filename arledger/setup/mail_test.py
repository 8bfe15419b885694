"""Trying a mail server while setting up: one message by hand, with every answer of the server kept for the page."""

from __future__ import annotations

import smtplib
import ssl
from dataclasses import dataclass, field
from email.message import EmailMessage

TIMEOUT = 12  # seconds a person is willing to look at a page


@dataclass(frozen=True)
class MailServer:
    """How a mail server is reached; ``security`` is "none", "starttls" or "tls"."""

    host: str
    port: int
    security: str
    user: str = ""
    password: str = field(default="", repr=False)


@dataclass
class Outcome:
    """What the server said, line by line, and whether it took the message."""

    accepted: bool = False
    lines: list[str] = field(default_factory=list)

    def heard(self, what: str, answer: tuple[int, bytes]) -> None:
        code, text = answer
        self.lines.append(f"{what}: {code} {text.decode(errors='replace').splitlines()[0] if text else ''}".strip())


def try_mail(server: MailServer, sender: str, recipient: str, text: str) -> Outcome:
    """Send one message and tell what the server answered; a refusal or a silence is an answer too."""
    outcome = Outcome()
    connect = smtplib.SMTP_SSL if server.security == "tls" else smtplib.SMTP
    try:
        with connect(server.host, server.port, timeout=TIMEOUT) as smtp:
            outcome.heard("EHLO", smtp.ehlo())
            if server.security == "starttls":
                outcome.heard("STARTTLS", smtp.starttls(context=ssl.create_default_context()))
                smtp.ehlo()
            if server.user:
                outcome.heard("AUTH", smtp.login(server.user, server.password))
            outcome.heard("MAIL FROM", smtp.mail(sender))
            code, answer = smtp.rcpt(recipient)
            outcome.heard("RCPT TO", (code, answer))
            if code in (250, 251):
                code, answer = smtp.data(_message(sender, recipient, text).as_bytes())
                outcome.heard("DATA", (code, answer))
                outcome.accepted = code == 250
    except smtplib.SMTPResponseException as refused:
        said = refused.smtp_error
        outcome.heard("Refused", (refused.smtp_code, said if isinstance(said, bytes) else str(said).encode()))
    except (OSError, smtplib.SMTPException) as why:
        outcome.lines.append(f"{server.host}:{server.port}: {why}")
    return outcome


def _message(sender: str, recipient: str, text: str) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, recipient, "AR Ledger: test"
    message.set_content(text)
    return message
