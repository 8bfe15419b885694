"""More time to pay, in the words a client reads: the day that was agreed on instead of the due day."""

from __future__ import annotations

from django.utils.translation import gettext as _

from core.dates import show_day

from .models import Extension


def extension_words(agreed: Extension, language: str) -> str:
    """«pay by 5 January 2027, agreed on 1 December 2026», in the language that is spoken now."""
    return _("pay by %(day)s, agreed on %(agreed)s") % {
        "day": show_day(agreed.until_on, language), "agreed": show_day(agreed.agreed_on, language),
    }
