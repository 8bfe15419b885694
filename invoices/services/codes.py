"""The six digits that open what shows more than one invoice: mailed to the address on file, typed on the page.

No code is stored: it is worked out from its row under LINK_KEY, and what the row keeps of it is an HMAC.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import re
from typing import Any

from django.conf import settings
from django.db import transaction

from audit.services import record
from invoices.models import LinkCode, ShareLink

GOOD_FOR = dt.timedelta(minutes=10)
TRIES = 5
BETWEEN = dt.timedelta(minutes=1)
A_DAY = 10  # a link that fell into strange hands gets fifty guesses a day at a million codes
DIGITS = 6
KEPT_FOR = dt.timedelta(days=30)


def make_code(link: ShareLink, at: dt.datetime) -> LinkCode | None:
    """A new code for a link, good for ten minutes and five tries; an older one opens nothing any more.

    None within a minute of the last one, and after ten within a day: nobody's inbox is flooded by asking.
    """
    with transaction.atomic():
        ShareLink.objects.select_for_update(of=("self",)).get(pk=link.pk)
        lately = link.codes.filter(made_at__gt=at - dt.timedelta(days=1))
        if lately.filter(made_at__gt=at - BETWEEN).exists() or lately.count() >= A_DAY:
            return None
        code = LinkCode.objects.create(link=link, code_hmac="", made_at=at, expires_at=at + GOOD_FOR)
        code.code_hmac = _kept(settings.LINK_KEY, code, code_of(code))
        code.save(update_fields=["code_hmac"])
    return code


def code_of(code: LinkCode) -> str:
    """The six digits of a code, as its mail says them."""
    stamp = f"ar.code.v1:{code.link_id}:{code.pk}:{code.made_at.isoformat()}"
    signed = hmac.new(settings.LINK_KEY.encode(), stamp.encode(), hashlib.sha256).digest()
    return f"{int.from_bytes(signed, 'big') % 10**DIGITS:0{DIGITS}d}"


def try_code(link: ShareLink, typed: str, at: dt.datetime, *, by: Any = "client") -> bool:
    """Whether what was typed is the link's latest code, in time and never used; every try counts, right or wrong.

    Spaces and hyphens between digits are no mistake. A right code opens once.
    """
    said = re.sub(r"[\s-]", "", typed)
    with transaction.atomic():
        ShareLink.objects.select_for_update(of=("self",)).get(pk=link.pk)
        code = link.codes.first()
        right = _is_right(code, said)
        if code is None or code.used_at is not None or code.tries >= TRIES or at >= code.expires_at:
            return False
        code.tries += 1
        if right:
            code.used_at = at
            record(by, "statement_opened", link, client_id=link.client_id)
        code.save(update_fields=["tries", "used_at"])
    return right


def forget_codes(now: dt.datetime) -> dict[str, int]:
    """Throw away the codes that ran out a month ago; a kept mail then shows a mark where their digits were."""
    gone, _by_model = LinkCode.objects.filter(expires_at__lt=now - KEPT_FOR).delete()
    return {"codes": gone} if gone else {}


def _is_right(code: LinkCode | None, said: str) -> bool:
    """Compared in constant time under every key still honoured; where there is no code, as long as with one."""
    kept = code.code_hmac if code else "0" * 64
    right = False
    for key in (settings.LINK_KEY, *settings.LINK_KEY_FALLBACKS):
        right |= hmac.compare_digest(kept, _kept(key, code, said))
    return right and code is not None


def _kept(key: str, code: LinkCode | None, digits: str) -> str:
    said = f"ar.code.kept.v1:{code.pk if code else 0}:{digits}"
    return hmac.new(key.encode(), said.encode(), hashlib.sha256).hexdigest()
