"""Why a line bears no tax, in the words the law wants to read, in the active language."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.translation import gettext as _

from .models import CreditNoteLine, InvoiceLine
from .totals import category_of


def legal_words(category: str, reasons: Iterable[str] = ()) -> str:
    """The sentence that stands for a tax category; reasons given with the lines come instead, each once.

    Sources: articles 138, 146, 196 and 226 of Directive 2006/112/EC. Empty for a taxed or zero-rated line.
    """
    if category in ("", "S", "Z"):
        return ""
    own = list(dict.fromkeys(reason.strip() for reason in reasons if reason.strip()))
    if category != "E" and not own:
        own = [_law(category)]
    elif category == "AE" and not any(_law("AE").split(":")[0].lower() in reason.lower() for reason in own):
        own.insert(0, _law("AE"))  # the words «reverse charge» themselves are required (article 226 (11a))
    return "; ".join(own)


def tax_notes(lines: Iterable[InvoiceLine | CreditNoteLine]) -> tuple[str, ...]:
    """The sentences that a document prints below its sums, one for each category without tax."""
    reasons: dict[str, list[str]] = {}
    for line in lines:
        reasons.setdefault(category_of(line.tax_category, line.tax_percent), []).append(line.exemption_reason)
    said = (legal_words(category, given) for category, given in sorted(reasons.items()))
    return tuple(words for words in said if words)


def group_label(category: str) -> str:
    """What stands before the sum of a category without tax, with places for tax and net; empty where it is taxed."""
    return {
        "E": _("Exempt from %(tax)s: %(net)s"),
        "AE": _("Reverse charge on %(net)s"),
        "K": _("Supply within the EU on %(net)s"),
        "G": _("Export on %(net)s"),
        "O": _("Not subject to %(tax)s: %(net)s"),
    }.get(category, "")


def _law(category: str) -> str:
    return {
        "AE": _("Reverse charge: the recipient is liable for the tax (Article 196 of Directive 2006/112/EC)."),
        "K": _("Intra-Community supply exempt from VAT (Article 138 of Directive 2006/112/EC)."),
        "G": _("Export exempt from VAT (Article 146 of Directive 2006/112/EC)."),
        "O": _("Not subject to VAT."),
    }[category]
