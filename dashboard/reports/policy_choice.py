"""Which policy holds for a client or an invoice, and why: said wherever one is chosen."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from clients.models import Client
from invoices.models import Invoice
from policies.models import CompanyPolicy, Policy
from policies.precedence import chosen_for
from policies.services.versions import policies_to_choose


@dataclass(frozen=True)
class PolicyHere:
    """The policy that holds: its name, how people call it, why it is this one, and its version in force, if any."""

    name: str
    title: str
    because: str
    version: Policy | None


def policy_here(client: Client, on: dt.date, invoice: Invoice | None = None) -> PolicyHere:
    """The policy by which a client, or one invoice of it, is reminded, and where that was chosen."""
    usual = CompanyPolicy.objects.filter(company=client.company_id).values_list("name", flat=True).first() or ""
    chosen = chosen_for(client, invoice.policy_name if invoice else "", usual)
    because = {
        "invoice": _("chosen for this invoice"), "client": _("chosen for this client"),
        "segment": _("chosen for its segment “%(segment)s”") % {"segment": client.segment},
        "company": _("that of the company"),
    }[chosen.where]  # fmt: skip
    version = Policy.objects.in_force(chosen.name, on)
    return PolicyHere(chosen.name, version.title if version and version.title else chosen.name, because, version)


def choices(on: dt.date, kept: str, nobody: Any) -> list[tuple[str, Any]]:
    """The policies in force to choose from, and none; the one that is chosen already is always among them."""
    found: list[tuple[str, Any]] = list(policies_to_choose(on))
    if kept and kept not in dict(found):
        found.append((kept, _("%(name)s (not in force)") % {"name": kept}))
    return [("", nobody), *found]
