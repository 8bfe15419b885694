"""What a mail server's words mean. Pure: no Django, no clock, no network."""

from __future__ import annotations

import re

NOT_THE_ADDRESS = (500, 502, 503, 504, 552)  # the server did not understand us, or the mailbox is full
_TEMPORARY = re.compile(r"^\D{0,40}?\b4(\d\d\b|\.\d{1,3}\.\d{1,3}\b)")
_ENHANCED = re.compile(r"\b5\.(\d{1,3})\.(\d{1,3})\b")


def speaks_of_the_address(reply: str) -> bool:
    """Whether a refusal says that nobody can be reached at an address: for ever, and not about the mail or about us.

    The enhanced code decides where there is one (RFC 3463: 5.1 is the address, 5.2 the mailbox, of which 5.2.2 says
    it is full and 5.2.3 that the mail is too long); otherwise every 5xx but those about our commands and a full box.

    >>> speaks_of_the_address("550 5.1.1 no such user"), speaks_of_the_address("550 no such user")
    (True, True)
    >>> speaks_of_the_address("554 5.7.1 relaying denied"), speaks_of_the_address("552 mailbox full")
    (False, False)
    """
    code = reply[:3]
    if not (code.isdigit() and code[0] == "5"):
        return False
    enhanced = _ENHANCED.search(reply)
    if enhanced:
        subject, detail = int(enhanced[1]), int(enhanced[2])
        return subject == 1 or (subject == 2 and detail not in (2, 3))
    return int(code) not in NOT_THE_ADDRESS


def is_temporary(said: str) -> bool:
    """Whether the words of a server begin with a code that means «later again».

    >>> is_temporary("452 4.2.2 mailbox full"), is_temporary("smtp; 421 busy"), is_temporary("550 5.1.1 unknown")
    (True, True, False)
    """
    return _TEMPORARY.search(said) is not None
