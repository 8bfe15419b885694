"""What an invoice says of interest by law: the reference rate, what is added to it, and the sum for each late invoice.

French law wants both on the invoice (code de commerce, L441-9); elsewhere it keeps a client from surprises.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from babel.numbers import format_decimal
from django.utils.translation import gettext as _

from core.money import plain, show

from .interest import Rule
from .models import Invoice
from .services.charging.bearing import Policies, uses_terms


def rule_facts(invoice: Invoice) -> dict[str, Any]:
    """The rule by which an invoice bears interest on its day of issue, as the invoice keeps it.

    Empty where the percentage of its terms holds, and where no interest is charged.
    """
    if invoice.issued_on is None or invoice.is_taken_over:
        return {}
    rule = Policies().rule(invoice, invoice.issued_on)
    if not rule.charges or uses_terms(rule):
        return {}
    return {"late": {
        "code": rule.code, "series": rule.series, "margin": f"{rule.margin:f}", "title": rule.title,
        "percent": None if rule.percent is None else f"{rule.percent:f}",
        "up_to": None if rule.reference_up_to is None else f"{rule.reference_up_to:f}",
        "compensation": plain(_compensation(rule, invoice), invoice.currency),
    }}  # fmt: skip


def words_by_law(late: dict[str, Any], invoice: Invoice, due: str, language: str) -> str:
    """What paying late costs by the reference rate of the rule an invoice keeps, and the sum for each late invoice."""
    when = _("On each part that is unpaid after its day") if invoice.in_parts else (
        _("On what is unpaid after %(due)s") % {"due": due}
    )  # fmt: skip
    said = _("%(when)s we may charge interest of %(margin)s percentage points above %(reference)s.") % {
        "when": when, "margin": _number(late["margin"], language), "reference": _reference(late, language),
    }  # fmt: skip
    return " ".join(filter(None, [said, compensation_words(late, invoice, language)]))


def compensation_words(late: dict[str, Any], invoice: Invoice, language: str) -> str:
    """The fixed sum for a late invoice; empty where the rule grants none."""
    lump = Decimal(late["compensation"])
    if not lump:
        return ""
    return _("For the costs of recovery we may then claim %(sum)s.") % {"sum": show(lump, invoice.currency, language)}


def _compensation(rule: Rule, invoice: Invoice) -> Decimal:
    return Decimal(0) if rule.for_consumers else rule.compensation_for(invoice.total, invoice.currency)


def _reference(late: dict[str, Any], language: str) -> str:
    name: str = {
        "ecb_mro_reference": _("the reference rate of the European Central Bank"),
        "de_basiszins": _("the German base rate (§ 247 BGB)"),
        "boe_reference": _("the Bank Rate of the Bank of England"),
    }.get(late["series"], late["series"])
    if late["up_to"] is None:
        return name
    return _("%(reference)s, rounded up to the next %(multiple)s") % {
        "reference": name, "multiple": _number(late["up_to"], language),
    }  # fmt: skip


def _number(text: str, language: str) -> str:
    said: str = format_decimal(Decimal(text), locale=language[:2])
    return said
