"""Which invoices are charged alike: by the same policies, chosen for them one after the other on the same days."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from django.db.models import Q, QuerySet

from clients.models import Client
from core.models import Company
from invoices.models import Invoice
from invoices.services.charging import Holding, Policies
from policies.choices import Since, policies_by_day
from policies.models import Policy, PolicyChoice, Segment
from policies.services.choices import subject_of, subject_of_all
from policies.services.precedence import own_name_of_invoice

from .choosing import InUse

_AT_ONCE = 500


def charged_alike(
    company: Company, on: dt.date, theirs: InUse, policies: Policies
) -> Iterator[tuple[list[Holding], QuerySet[Any]]]:
    """The issued invoices of a company in groups, each with the versions that held for them by a day; none in two.

    Where nothing was ever chosen anew, a group a policy.
    """
    rows: QuerySet[Any] = Invoice.objects.issued().filter(company=company)
    if policies.was_changed(company.pk):
        chosen = PolicyChoice.objects.filter(company=company)
        alone = chosen.filter(where="invoice").values("subject")
        yield from _one_by_one(rows, rows.filter(pk__in=alone), on, policies)
        rows = rows.exclude(pk__in=alone)
        moved = Q(policy_name="", client__in=chosen.filter(where="client").values("subject"))
        yield from _by_client(rows.filter(moved), company, theirs, on, policies)
        rows = rows.exclude(moved)
        for one, line in _of_segments_and_company(company, theirs, policies):
            yield policies.held(line, on), rows.filter(one)
            rows = rows.exclude(one)
    for version in theirs:
        yield policies.versions(version.name, on), reminded_by(version, theirs, rows)


def reminded_by(version: Policy, theirs: InUse, rows: QuerySet[Any]) -> QuerySet[Any]:
    """Those of the invoices for which a policy holds today; one policy alone holds for all."""
    if theirs.is_single:
        return rows
    rows = rows.annotate(own_policy=own_name_of_invoice())
    if version.name == theirs.usual.name:
        return rows.exclude(own_policy__in=sorted(theirs.others))
    return rows.filter(own_policy=version.name)


def _one_by_one(
    rows: QuerySet[Any], asked: QuerySet[Any], on: dt.date, policies: Policies
) -> Iterator[tuple[list[Holding], QuerySet[Any]]]:
    """The invoices for which somebody chose, by what was chosen."""
    found: dict[tuple[Since, ...], list[int]] = defaultdict(list)
    for invoice in asked.select_related("client__segment").order_by("pk"):
        found[policies.line(invoice)].append(invoice.pk)
    for line, pks in found.items():
        for start in range(0, len(pks), _AT_ONCE):
            yield policies.held(line, on), rows.filter(pk__in=pks[start : start + _AT_ONCE])


def _by_client(
    rows: QuerySet[Any], company: Company, theirs: InUse, on: dt.date, policies: Policies
) -> Iterator[tuple[list[Holding], QuerySet[Any]]]:
    """The invoices without a policy of their own of the clients for whom somebody chose."""
    found: dict[tuple[Since, ...], list[int]] = defaultdict(list)
    changed = PolicyChoice.objects.filter(company=company, where="client").values("subject")
    history, segments = policies.changes(company.pk)
    for client in Client.objects.filter(pk__in=changed).select_related("segment").order_by("pk"):
        line = policies_by_day(subject_of(client, 0, "", theirs.usual.name), history, segments)
        found[line].append(client.pk)
    for line, pks in found.items():
        for start in range(0, len(pks), _AT_ONCE):
            yield policies.held(line, on), rows.filter(client__in=pks[start : start + _AT_ONCE])


def _of_segments_and_company(
    company: Company, theirs: InUse, policies: Policies
) -> Iterator[tuple[Q, tuple[Since, ...]]]:
    """For the rest: the segments, and last the company, for which another policy was chosen; with whom it touches."""
    history, _segments = policies.changes(company.pk)
    nobody = Q(policy_name="", client__policy_name="")
    moved = [pk for where, pk in history if where == "segment"]
    for segment in Segment.objects.filter(pk__in=moved).order_by("pk"):
        asked = subject_of_all(company.pk, theirs.usual.name, segment)
        yield nobody & Q(client__segment=segment), policies_by_day(asked, history, {})
    if ("company", company.pk) in history:
        nobody &= Q(client__segment=None) | Q(client__segment__policy_name="")
        yield nobody, policies_by_day(subject_of_all(company.pk, theirs.usual.name), history, {})
