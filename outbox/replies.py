"""What a mail server's words mean, by RFC 5321 (codes), 3463 (enhanced codes) and 7504. Pure: no clock, no network."""

from __future__ import annotations

import re
from typing import NamedTuple

ABOUT_THE_ADDRESS = (550, 551, 553, 556)  # no such mailbox, moved, no such name, the domain takes no mail
BOX_FULL = (2, 2)
_SENDER = ((1, 7), (1, 8))  # 5.1.7 and 5.1.8 speak of our own address
_OF_THE_MAILBOX = (0, 1)  # 5.2.x: other, disabled; the rest is a full box, a long mail, a mailing list
_ENHANCED = r"[245]\.\d{1,3}\.\d{1,3}"
_END = r"(?!\w|\.\d)"
_STATUS = re.compile(
    rf"(?<![\w.:])(?:(?P<code>[245]\d\d){_END}(?:[ #-]+(?P<enhanced>{_ENHANCED}){_END})?|(?P<alone>{_ENHANCED}){_END})"
)
_LATER_ON = re.compile(rf"#(?P<enhanced>{_ENHANCED}){_END}")  # as qmail has it: «550 sorry, no mailbox here (#5.1.1)»


class Status(NamedTuple):
    """The code of a reply (0 where it has none); class, subject and detail of its enhanced code, if there is one."""

    code: int
    enhanced: tuple[int, int, int] | None

    @property
    def is_temporary(self) -> bool:
        """«Later again», by the code; by the enhanced code where it stands alone."""
        return (self.code // 100 or (self.enhanced or (0,))[0]) == 4


def status_of(said: str) -> Status | None:
    """The first status in the words of a server, whatever stands before it; None where there is none.

    >>> status_of("host mx1.firm.test said: 450-4.2.0 greylisted")
    Status(code=450, enhanced=(4, 2, 0))
    >>> status_of("delivery to [10.4.2.2] failed after 3 days") is None
    True
    """
    found = _STATUS.search(said)
    if found is None:
        return None
    enhanced = found["enhanced"] or found["alone"]
    if enhanced is None and (later := _LATER_ON.search(said)):
        enhanced = later["enhanced"]
    parts = tuple(map(int, enhanced.split("."))) if enhanced else None
    return Status(int(found["code"] or 0), (parts[0], parts[1], parts[2]) if parts else None)


def speaks_of_the_address(said: str) -> bool:
    """Whether a refusal says that nobody can be reached at an address: for ever, and not about the mail or about us.

    The enhanced code decides where there is one (5.1 is the address, but 5.1.7 and 5.1.8 our own; 5.2.1 a mailbox out
    of use, 5.2.2 one that is full); otherwise 550, 551, 553 and 556.

    >>> speaks_of_the_address("550 5.1.1 no such user"), speaks_of_the_address("550 no such user")
    (True, True)
    >>> speaks_of_the_address("554 5.7.1 relaying denied"), speaks_of_the_address("552 mailbox full")
    (False, False)
    >>> speaks_of_the_address("550 4.2.2 mailbox full"), speaks_of_the_address("553 5.1.8 sender has no such domain")
    (False, False)
    """
    status = status_of(said)
    if status is None or status.is_temporary:
        return False
    if status.enhanced is None:
        return status.code in ABOUT_THE_ADDRESS
    class_, *about = status.enhanced
    subject, detail = about
    if class_ != 5 or (subject, detail) in _SENDER:
        return False
    return subject == 1 or (subject == 2 and detail in _OF_THE_MAILBOX)


def blames_something_else(said: str) -> bool:
    """Whether the words have a status, and it is not one that speaks of the address.

    >>> blames_something_else("smtp;552 5.2.2 over quota"), blames_something_else("smtp;550 5.1.1 no such user")
    (True, False)
    >>> blames_something_else("The address does not exist.")
    False
    """
    return status_of(said) is not None and not speaks_of_the_address(said)


def is_temporary(said: str) -> bool:
    """Whether the words of a server mean «later again».

    >>> is_temporary("452 4.2.2 mailbox full"), is_temporary("smtp; 421 busy"), is_temporary("550 5.1.1 unknown")
    (True, True, False)
    >>> is_temporary("host mx1.firm.test said: 450 greylisted, try again in 300 seconds")
    True
    """
    status = status_of(said)
    return status is not None and status.is_temporary


def is_for_ever(said: str, *, of_a_reader: bool = False) -> bool:
    """Whether a server's refusal is final. A full mailbox is not, though some say it with a code that sounds so.

    ``of_a_reader``: it answers who is to get the mail; there 552 alone means «too much» and is tried again (RFC 5321,
    4.5.3.1.10), while to the mail itself it means that the mail is too large.

    >>> is_for_ever("550 5.1.1 no such user"), is_for_ever("450 4.2.0 greylisted")
    (True, False)
    >>> is_for_ever("552 5.2.2 over quota"), is_for_ever("552 too much mail", of_a_reader=True), is_for_ever("552 big")
    (False, False, True)
    """
    status = status_of(said)
    if status is None or status.is_temporary:
        return status is None
    if status.enhanced:
        return status.enhanced[1:] != BOX_FULL
    return not (of_a_reader and status.code == 552)
