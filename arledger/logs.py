"""How log lines look: UTC, and never a token that opens a private page."""

import logging
import re
import time

LINK_TOKEN = re.compile(r"(/[ipstw]/\d+/|/setup/)[\w-]{8,}")


def mask(text: str) -> str:
    """A line without the secret part of signed links.

    >>> mask("Not Found: /i/7/abcdefghijklmnop/, /p/8/abcdefghijklmnop/pdf/, /s/9/abcdefghijklmnop/")
    'Not Found: /i/7/***/, /p/8/***/pdf/, /s/9/***/'
    """
    return LINK_TOKEN.sub(r"\1***", text)


class MaskLinkTokens(logging.Filter):
    """Takes the token out of every line that quotes the address of a private page or of the set-up page."""

    def filter(self, record: logging.LogRecord) -> bool:
        line = record.getMessage()
        masked = mask(line)
        if masked != line:
            record.msg, record.args = masked, None
        if record.exc_info and not record.exc_text:
            record.exc_text = mask(logging.Formatter().formatException(record.exc_info))
        return True


class UTCFormatter(logging.Formatter):
    converter = staticmethod(time.gmtime)
    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = None
