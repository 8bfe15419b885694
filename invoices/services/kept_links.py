"""Private links and codes in kept mails: what opens a page is left out, and worked out anew when somebody looks.

No dump opens one.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from django.conf import settings

from invoices.models import LinkCode, ShareLink

from .codes import code_of
from .linking import is_first_token, token_of

_TOKEN = re.compile(r"(/[a-z]/)(\d+)/([A-Za-z0-9_-]{43})/")
_CODE = re.compile(r"(№ (\d+): )(\d{6})(?!\d)")
_CODE_LEFT_OUT = re.compile(r"(№ (\d+): )~code~")
_LEFT_OUT = re.compile(r"(/[a-z]/)(\d+)/~(\d+)~/")


def without_tokens(text: str) -> str:
    """The text with every token of ours replaced by the version of its link, and every code by a mark."""
    text = _CODE.sub(_code_left_out, text)
    if not _may_name_links(text):
        return text
    tokens = {(found[3], int(found[2])) for found in _TOKEN.finditer(text)}
    first = {token for token, pk in tokens if is_first_token(token, pk)}
    links = _links({pk for token, pk in tokens if token not in first})

    def left_out(found: re.Match[str]) -> str:
        link = links.get(int(found[2]))
        version = 1 if found[3] in first else link.version if link and token_of(link) == found[3] else None
        return f"{found[1]}{found[2]}/~{version}~/" if version else found[0]

    return _TOKEN.sub(left_out, text)


def with_tokens(text: str) -> str:
    """A kept text as it was sent: each token as it was under that version of its link, by the key in force."""
    text = _CODE_LEFT_OUT.sub(_code_put_back, text)
    if not _may_name_links(text):
        return text
    links = _links({int(found[2]) for found in _LEFT_OUT.finditer(text)})

    def put_back(found: re.Match[str]) -> str:
        link = links.get(int(found[2]))
        if link is None:
            return found[0]
        link.version = int(found[3])
        return f"{found[1]}{found[2]}/{token_of(link)}/"

    return _LEFT_OUT.sub(put_back, text)


def _code_left_out(found: re.Match[str]) -> str:
    code = LinkCode.objects.filter(pk=found[2]).first()
    return f"{found[1]}~code~" if code is not None and code_of(code) == found[3] else found[0]


def _code_put_back(found: re.Match[str]) -> str:
    code = LinkCode.objects.filter(pk=found[2]).first()
    return found[1] + code_of(code) if code is not None else found[0]


def _may_name_links(text: str) -> bool:
    return bool(settings.PUBLIC_URL) and settings.PUBLIC_URL in text


def _links(numbers: Collection[int]) -> dict[int, ShareLink]:
    return ShareLink.objects.in_bulk(numbers) if numbers else {}
