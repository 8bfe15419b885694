"""Private links and codes in kept mails: what opens a page is left out, and worked out anew when somebody looks.

No dump opens one.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping
from types import MappingProxyType
from typing import Any

from django.conf import settings

from core.batches import answers_kept
from invoices.models import LinkCode, ShareLink

from .codes import code_of
from .linking import token_of

_Links = dict[int, ShareLink]
_TOKEN = re.compile(r"(/[a-z]/)(\d+)/([A-Za-z0-9_-]{43})/")
_CODE = re.compile(r"(№ (\d+): )(\d{6})(?!\d)")
_CODE_LEFT_OUT = re.compile(r"(№ (\d+): )~code~")
_LEFT_OUT = re.compile(r"(/[a-z]/)(\d+)/~(\d+)~/")


def without_tokens(text: str) -> str:
    """The text with every token of ours replaced by the version of its link, and every code by a mark."""
    text = _CODE.sub(_code_left_out, text)
    links = _links(_TOKEN, text, answers_kept() or {})

    def left_out(found: re.Match[str]) -> str:
        link = links.get(int(found[2]))
        genuine = link is not None and token_of(link) == found[3]
        return f"{found[1]}{found[2]}/~{link.version}~/" if link and genuine else found[0]

    return _TOKEN.sub(left_out, text) if links else text


def with_tokens(text: str) -> str:
    """A kept text as it was sent: each token as it was under that version of its link, by the key in force."""
    text = _CODE_LEFT_OUT.sub(_code_put_back, text)
    links = _links(_LEFT_OUT, text)

    def put_back(found: re.Match[str]) -> str:
        link = links.get(int(found[2]))
        if link is None:
            return found[0]
        link.version = int(found[3])
        return f"{found[1]}{found[2]}/{token_of(link)}/"

    return _LEFT_OUT.sub(put_back, text) if links else text


def _code_left_out(found: re.Match[str]) -> str:
    code = LinkCode.objects.filter(pk=found[2]).first()
    return f"{found[1]}~code~" if code is not None and code_of(code) == found[3] else found[0]


def _code_put_back(found: re.Match[str]) -> str:
    code = LinkCode.objects.filter(pk=found[2]).first()
    return found[1] + code_of(code) if code is not None else found[0]


def _links(pattern: re.Pattern[str], text: str, known: Mapping[Hashable, Any] = MappingProxyType({})) -> _Links:
    """The links that a text names, those made a moment ago in this very batch without asking."""
    if not settings.PUBLIC_URL or settings.PUBLIC_URL not in text:
        return {}
    named = {int(found[2]) for found in pattern.finditer(text)}
    made = {pk: known[ShareLink, pk] for pk in named if (ShareLink, pk) in known}
    return made | (ShareLink.objects.in_bulk(named - made.keys()) if named - made.keys() else {})
