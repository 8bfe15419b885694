"""Which policy holds for a client or an invoice, and why: said wherever one is chosen."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from clients.models import Client
from dashboard.templatetags.ledger import day
from invoices.models import Invoice
from invoices.services.charging import Policies
from policies.choices import EVER, Since
from policies.models import Policy
from policies.services.choices import company_s_policy, subject_of
from policies.services.versions import policies_to_choose


@dataclass(frozen=True)
class Held:
    """A policy, how people call it, from which to which day it held (None: since ever, until further notice), why."""

    name: str
    title: str
    because: str
    from_on: dt.date | None
    until_on: dt.date | None = None


@dataclass(frozen=True)
class PolicyHere:
    """The policy that holds: its name, how people call it, why it is this one, and its version in force, if any.

    ``earlier`` are those that held before it, the latest first.
    """

    name: str
    title: str
    because: str
    version: Policy | None
    earlier: list[Held]


def policy_here(client: Client, on: dt.date, invoice: Invoice | None = None) -> PolicyHere:
    """The policy by which a client, or one invoice of it, is reminded, where that was chosen, and since which day."""
    usual = company_s_policy(client.company_id)
    pk, own = (invoice.pk, invoice.policy_name) if invoice else (0, "")
    line = Policies().line_of(subject_of(client, pk, own, usual))
    titles = {}
    for policy in Policy.objects.filter(name__in={since.name for since in line}, effective_from__lte=on):
        titles.setdefault(policy.name, policy)  # the newest first
    held = []
    for n, since in enumerate(line):
        version = titles.get(since.name)
        title = version.title if version and version.title else since.name
        until = line[n + 1].from_on - dt.timedelta(days=1) if n + 1 < len(line) else None
        from_on = since.from_on if since.from_on > EVER else None
        held.append(Held(since.name, title, _because(client, since), from_on, until))
    *earlier, now = held
    return PolicyHere(now.name, now.title, now.because, titles.get(now.name), earlier[::-1])


def _because(client: Client, since: Since) -> str:
    because: str = {
        "invoice": _("chosen for this invoice"), "client": _("chosen for this client"),
        "segment": _("chosen for its segment “%(segment)s”") % {"segment": client.segment}
        if client.segment else _("chosen for its segment"),
        "company": _("that of the company"),
    }[since.where]  # fmt: skip
    if since.from_on == EVER:
        return because
    said = _("%(because)s from %(day)s on, by %(who)s") if since.by else _("%(because)s from %(day)s on")
    return said % {"because": because, "day": day(since.from_on), "who": since.by}


def choices(on: dt.date, kept: str, nobody: Any) -> list[tuple[str, Any]]:
    """The policies in force to choose from, and none; the one that is chosen already is always among them."""
    found: list[tuple[str, Any]] = list(policies_to_choose(on))
    if kept and kept not in dict(found):
        found.append((kept, _("%(name)s (not in force)") % {"name": kept}))
    return [("", nobody), *found]
