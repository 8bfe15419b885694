"""The policies a company uses: which holds for which client and invoice, and all of them on a day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from django.db.models import Value

from clients.models import Client
from core.errors import Refused
from core.models import Company
from invoices.models import Invoice
from policies.models import CompanyPolicy, Policy, Segment
from policies.precedence import chosen_for
from policies.services import policy_of


@dataclass(frozen=True)
class InUse:
    """The versions in force on a day: the company's policy, and those chosen for segments, clients and invoices."""

    usual: Policy
    others: Mapping[str, Policy] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Policy]:
        yield self.usual
        yield from self.others.values()

    @property
    def is_single(self) -> bool:
        return not self.others

    def named(self, name: str) -> Policy:
        """The policy of a name; the company's where the name is empty or nobody uses it."""
        return self.others.get(name, self.usual)

    def trying(self, draft: Policy) -> InUse:
        """The same with a version that is not in force yet, in place of the one of its name."""
        if draft.name == self.usual.name:
            return replace(self, usual=draft)
        return replace(self, others={**self.others, draft.name: draft})


def in_use(company: Company, on: dt.date, client: Client | None = None) -> InUse:
    """Every policy by which the company reminds somebody on a day, in two queries; with a client, those it meets.

    Refused where the company has none, and where one that is chosen has no version in force: the sentence says where
    it is chosen.
    """
    company_s = CompanyPolicy.objects.filter(company=company).values_list("name", flat=True)
    segments = Segment.objects.filter(company=company, clients__isnull=False).exclude(policy_name="")
    clients = Client.objects.filter(company=company).exclude(policy_name="")
    invoices = Invoice.objects.issued().filter(company=company).exclude(policy_name="")
    if client is not None:
        segments, clients = segments.filter(clients=client), clients.filter(pk=client.pk)
        invoices = invoices.filter(client=client)
    names = company_s.order_by().annotate(is_usual=Value(1)).values_list("name", "is_usual").union(
        *(
            rows.order_by().annotate(is_usual=Value(0)).values_list("policy_name", "is_usual")
            for rows in (segments, clients, invoices)
        )
    )
    chosen = sorted(names, key=lambda row: -row[1])
    if not chosen or not chosen[0][1]:
        policy_of(company, on)  # refuses, and says what to do
    versions = Policy.objects.filter(name__in={name for name, _usual in chosen}, effective_from__lte=on)
    newest = {policy.name: policy for policy in versions.order_by("effective_from")}
    usual = chosen[0][0]
    for name, _usual in chosen:
        if name not in newest:
            raise _no_version(company, name, on)
    return InUse(newest[usual], {name: newest[name] for name in sorted(newest) if name != usual})


def as_in_use(policies: Policy | InUse) -> InUse:
    """One policy alone holds for everybody."""
    return policies if isinstance(policies, InUse) else InUse(policies)


def policy_for_client(client: Client, on: dt.date) -> Policy:
    """The policy a client is treated by: its own, that of its segment, or the company's. Refused as ``in_use``."""
    return _in_force(client, "", on)


def policy_for_invoice(invoice: Invoice, on: dt.date) -> Policy:
    """The policy an invoice is reminded by: its own, or that of its client. Refused as ``in_use``."""
    return _in_force(invoice.client, invoice.policy_name, on)


def _in_force(client: Client, invoice_s: str, on: dt.date) -> Policy:
    near = chosen_for(client, invoice_s).name
    if not near:
        return policy_of(client.company, on)
    found = Policy.objects.in_force(near, on)
    if found is None:
        raise _no_version(client.company, near, on)
    return found


def _no_version(company: Company, name: str, on: dt.date) -> Refused:
    """Where a policy without a version was chosen, in words: the nearest place first."""
    invoice = Invoice.objects.filter(company=company, policy_name=name).order_by("pk").first()
    client = Client.objects.filter(company=company, policy_name=name).order_by("pk").first()
    segment = Segment.objects.filter(company=company, policy_name=name, clients__isnull=False).first()
    where = (
        f"the invoice {invoice}" if invoice else f"the client {client}" if client
        else f"the segment “{segment}”" if segment else f"{company} under “Policies of companies”"
    )
    return Refused(
        f"The policy “{name}” has no version in force on {on.isoformat()}. It is chosen for {where}: choose another "
        "there, or make a version that begins by that day.",
        code="no_version", where="invoice" if invoice else "client" if client else "segment" if segment else "company",
    )
