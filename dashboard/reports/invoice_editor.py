"""What the editor of an invoice looks up while somebody writes: the tax it proposes, and what the client wishes."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from babel import Locale
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from stdnum.eu import vat as eu_vat

from clients.models import Client
from clients.tax_numbers import ways_written
from core.models import Company
from invoices.models import InvoiceLine
from invoices.services.drafting import LineDraft, wished_fields
from invoices.tax_proposal import Proposal, propose_tax


def tax_for(client: Client, company: Company) -> Proposal:
    """The tax proposed for what is sold to a client now."""
    return propose_tax(company.country, client.country, vat_of(client), usual_percent(client, company))


def vat_of(client: Client) -> str:
    """The client's VAT number in the European Union, country in front; empty where it has none that can exist."""
    ways = sorted(ways_written(client.tax_number, client.country), reverse=True)
    return next((eu_vat.compact(way) for way in ways if eu_vat.is_valid(way)), "")


def usual_percent(client: Client, company: Company) -> Decimal:
    """The tax of the last taxed line this client was invoiced, else of the last the company wrote; 0 for neither."""
    taxed = InvoiceLine.objects.filter(tax_category="S", tax_percent__gt=0).order_by("-pk")
    for lines in (taxed.filter(invoice__client=client), taxed.filter(invoice__company=company)):
        percent: Decimal | None = lines.values_list("tax_percent", flat=True).first()
        if percent is not None:
            return percent
    return Decimal(0)


def tax_words(proposal: Proposal, client: Client) -> str:
    """Why that tax is proposed, and what would be another; empty for an ordinary sale at home."""
    land = Locale.parse(get_language() or "en", sep="-").territories.get(client.country.upper(), client.country)
    words = {
        "eu_business": _(
            "%(land)s, with the VAT number %(number)s: a service is under reverse charge, without tax, and the words "
            "the law wants are printed. For goods choose «delivery within the EU». The number can exist; whether it "
            "is registered is answered by VIES alone."
        ),
        "eu_no_number": _(
            "%(land)s, and no VAT number of a business there on file: taxed as at home. With a valid one, reverse "
            "charge would be proposed."
        ),
        "abroad": _(
            "%(land)s lies outside the European Union: a service there is outside the scope of our tax. For goods "
            "that leave the Union choose «export»."
        ),
    }.get(proposal.why, "")
    return words % {"land": land, "number": vat_of(client)} if words else ""


def differ(lines: list[LineDraft], proposal: Proposal) -> list[int]:
    """The lines, counted from one, that bear another tax than a proposal that crosses a border."""
    if proposal.why not in ("eu_business", "abroad"):
        return []
    return [n for n, line in enumerate(lines, 1) if line.tax_percent]


def not_asked(client: Client, data: Any) -> list[str]:
    """The labels the client wishes to read, which stand in no row of the form yet."""
    there = {str(said).strip().casefold() for name, said in data.items() if re.fullmatch(r"extra-\d+-label", name)}
    return [field["label"] for field in wished_fields(client) if field["label"].casefold() not in there]
