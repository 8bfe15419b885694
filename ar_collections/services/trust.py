"""Credit moved by what happened: watch and cash-only by the policy, and back once everything overdue is cleared."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import chain
from typing import Any

from django.db import transaction
from django.db.models import Exists, Max, OuterRef, Q, QuerySet, Sum
from django.utils.translation import gettext as _

from ar_collections.behaviour import SIGNAL_DAYS
from ar_collections.models import Task
from ar_collections.status_rules import CASH_ONLY, WATCH, Bounds, Facts, Rule, status_asked_for
from clients.models import Client, CreditCheck, CreditDecision, StatusChange
from clients.services import lock_client
from clients.services.deciding import MILDEST_FIRST, return_to_decision
from clients.services.status import set_status, status_of
from core.errors import Refused
from core.models import Company
from core.money import plain
from core.permissions import demand
from invoices.due import Overdue
from invoices.models import RECEIVABLE, Entry, Invoice
from invoices.services.exposure import exposures_of
from policies.credit import credit_policy_of
from policies.flags import FLAGS
from policies.models import CreditPolicy

from .behaving import signals_of
from .deciding import cash_of_clients, chased, may_be_asked, owing
from .desk import close_task, open_task
from .expressions import NO_AMOUNT, SignedFor

BATCH = 500
LIFT = "lift:"  # how the key of a task begins that asks whether credit opens again


@dataclass
class Judged:
    """What one run did: clients moved to a stricter status, given credit again, and those a person has to look at."""

    moved: list[StatusChange] = field(default_factory=list)
    lifted: list[StatusChange] = field(default_factory=list)
    to_review: int = 0

    @property
    def did_something(self) -> bool:
        return bool(self.moved or self.lifted or self.to_review)


@dataclass
class _Overdue:
    """What a client has overdue: per currency, and since when."""

    sums: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    since: dt.date | None = None

    def add(self, currency: str, due_on: dt.date, owed: Decimal) -> None:
        if owed > 0:
            self.sums[currency] += owed
            self.since = min(self.since or due_on, due_on)

    def is_covered(self, cash: Mapping[str, Decimal]) -> bool:
        return all(cash.get(currency, Decimal(0)) >= total for currency, total in self.sums.items())


def judge_status(company: Company, on: dt.date, *, by: Any, policy: CreditPolicy | None = None) -> Judged:
    """Move clients to watch or cash-only by the credit policy, and back where everything overdue is cleared.

    What is disputed, promised or paused, and what unapplied cash covers, is held against nobody. A status set by
    hand stays until it ends; a stricter one stays in any case. A second time changes nothing. ``policy`` is the
    credit policy in force, where it is known already; refused where there is none.
    """
    policy = policy or credit_policy_of(company, on)
    late, flags = _overdue_of_all(company, on), _flags(company, on, policy)
    done = _give_back(company, on, policy, flags, late, by)
    for client, (status, rules) in sorted(_asked_for(company, on, policy, flags, late).items()):
        change = _tighten(client, status, rules, policy, on, by)
        if change is not None:
            done.moved.append(change)
    return done


def lift_cleared(company: Company, on: dt.date, *, by: Any) -> Judged:
    """Give credit back where the policy had taken it and nothing overdue is left: at once, or after a person looked.

    Who is told by a flag of a credit check stays until a decision has weighed it. Refused where no credit policy is
    in force.
    """
    policy = credit_policy_of(company, on)
    return _give_back(company, on, policy, None, None, by)


def open_credit_again(client: Client, *, because: str, on: dt.date, by: Any) -> StatusChange:
    """A person looked at a client on cash-only by policy and gives credit back, as its last decision says.

    Refused without the permission, without a reason, and where the policy has not taken the credit away.
    """
    demand(by, "clients.set_status", "give a client credit again")
    if not because.strip():
        raise Refused(_("Say why this client has credit again."), code="reason", where="because")
    with transaction.atomic():
        lock_client(client.pk)
        standing = status_of(client, on)
        if standing is None or standing.source != "policy" or standing.status not in (WATCH, CASH_ONLY):
            raise Refused(
                _("The policy has not taken this client's credit away; set the status by hand."), code="not_by_policy"
            )
        change = return_to_decision(client, because=because, on=on, by=by)
        for task in Task.objects.filter(client=client, key__startswith=LIFT, closed_on=None):
            close_task(task, because=because, on=on, by=by)
    return change


def _give_back(
    company: Company, on: dt.date, policy: CreditPolicy, flags: Mapping[int, Any] | None,
    late: Mapping[int, _Overdue] | None, by: Any,
) -> Judged:
    """What ``lift_cleared`` does; flags and all that is overdue may be known already."""
    done = Judged()
    standing = list(_standing_by_policy(company, on).select_related("client__company", "client__owner"))
    if not standing:
        return done
    _close_what_is_late_again(company, standing, on)
    flagged = _flags(company, on, policy) if flags is None else flags
    owes = _still_overdue(company, on, [change.client_id for change in standing]) if late is None else late
    for change in standing:
        if change.client_id in owes or change.client_id in flagged:
            continue
        if change.status == CASH_ONLY and policy.lifts == "after_review":
            done.to_review += _ask_for_review(change, on, by)
        else:
            done.lifted.append(_lift(change.client, policy, on, by))
    return done


def _asked_for(
    company: Company, on: dt.date, policy: CreditPolicy, flags: Mapping[int, list[tuple[str, str]]],
    late: Mapping[int, _Overdue],
) -> dict[int, tuple[str, tuple[Rule, ...]]]:
    """Client by client what the rules ask for and does not hold yet; who is asked nothing is absent.

    First by all that is overdue; only for the few that are left it is asked what of it counts.
    """
    signals = _signals(company, on) if late else {}
    bounds = Bounds(
        policy.watch_days, policy.cash_only_days, {c: Decimal(s) for c, s in policy.cash_only_sum.items()},
        policy.cash_only_promises, policy.cash_only_returned,
    )

    def ask(overdue: Mapping[int, _Overdue], clients: Iterable[int]) -> dict[int, tuple[str, tuple[Rule, ...]]]:
        asked = {}
        for client in clients:
            owed = overdue.get(client, _Overdue())
            broken, returned = signals.get(client, (0, 0))
            days = (on - owed.since).days if owed.since else 0
            facts = Facts(owed.sums, days, broken, returned, tuple(flags.get(client, ())))
            status, rules = status_asked_for(facts, bounds)
            if status:
                asked[client] = status, rules
        return asked

    maybe = _not_yet(ask(late, late.keys() | flags.keys()), on)
    if not maybe:
        return {}
    return _not_yet(ask(_held_against(company, on, sorted(maybe)), maybe), on)


def _not_yet(
    asked: dict[int, tuple[str, tuple[Rule, ...]]], on: dt.date
) -> dict[int, tuple[str, tuple[Rule, ...]]]:
    """Without those who stand there already or further, or by hand."""
    stays: set[int] = set()
    clients = sorted(asked)
    for start in range(0, len(clients), BATCH):
        rows = StatusChange.objects.filter(client__in=clients[start : start + BATCH], effective_on__lte=on)
        latest = {change.client_id: change for change in rows.exclude(ends_on__lt=on).order_by("effective_on", "pk")}
        stays |= {pk for pk, change in latest.items() if _keeps(change, asked[pk][0])}
    return {client: what for client, what in asked.items() if client not in stays}


def _keeps(standing: StatusChange, status: str) -> bool:
    return standing.source == "hand" or MILDEST_FIRST.index(standing.status) >= MILDEST_FIRST.index(status)


def _tighten(
    pk: int, status: str, rules: tuple[Rule, ...], policy: CreditPolicy, on: dt.date, by: Any
) -> StatusChange | None:
    with transaction.atomic():
        lock_client(pk)
        client = Client.objects.select_related("company").get(pk=pk)
        standing = status_of(client, on)
        if standing is not None and _keeps(standing, status):
            return None  # somebody moved it meanwhile
        reasons = [_as_json(rule) for rule in rules]
        because = "; ".join(reason["says"] for reason in reasons)
        return set_status(
            client, status, because=because, source="policy", on=on, by=by, reasons=reasons, policy=policy
        )


def _lift(client: Client, policy: CreditPolicy, on: dt.date, by: Any) -> StatusChange:
    return return_to_decision(client, because=_("Everything overdue is cleared"), on=on, by=by, policy=policy)


def _ask_for_review(change: StatusChange, on: dt.date, by: Any) -> int:
    client = change.client
    if Task.objects.filter(client=client, key__startswith=LIFT, closed_on=None).exists():
        return 0
    key = f"{LIFT}{change.pk}:{on.isoformat()}"
    if Task.objects.filter(key=key).exists():
        return 0
    because = _("Everything overdue is cleared: decide whether the client has credit again")
    open_task(client, "review", because=because, due_on=on, on=on, by=by, key=key)
    return 1


def _close_what_is_late_again(company: Company, standing: Iterable[StatusChange], on: dt.date) -> None:
    """Who is overdue again before anybody looked is not asked about; and who has another status since, neither."""
    asked = list(Task.objects.filter(company=company, key__startswith=LIFT, closed_on=None))
    if not asked:
        return
    late = _still_overdue(company, on, [task.client_id for task in asked])
    barred = {change.client_id for change in standing if change.status == CASH_ONLY}
    for task in asked:
        if task.client_id in late or task.client_id not in barred:
            close_task(task, because=_("No longer to be decided"), on=on, by="system")


def _standing_by_policy(company: Company, on: dt.date) -> QuerySet[StatusChange]:
    """The changes to watch and cash-only by policy that hold on the day."""
    later = StatusChange.objects.filter(client=OuterRef("client"), effective_on__lte=on).exclude(ends_on__lt=on)
    later = later.filter(
        Q(effective_on__gt=OuterRef("effective_on")) | Q(effective_on=OuterRef("effective_on"), pk__gt=OuterRef("pk"))
    )
    rows = StatusChange.objects.filter(
        client__company=company, source="policy", status__in=[WATCH, CASH_ONLY], effective_on__lte=on
    )
    return rows.exclude(ends_on__lt=on).exclude(Exists(later)).order_by("client", "pk")


def _still_overdue(company: Company, on: dt.date, clients: Collection[int]) -> set[int]:
    """Clients who owe something overdue; what they promised or dispute is not cleared."""
    found: set[int] = set()
    asked = sorted(clients)
    for start in range(0, len(asked), BATCH):
        rows = owing(company, on).filter(client__in=asked[start : start + BATCH], due_day__lt=on)
        found |= set(rows.values_list("client_id", flat=True))
    return found


def _overdue_of_all(company: Company, on: dt.date) -> dict[int, _Overdue]:
    """All that is overdue at the end of a day, per client: what may be held against it at most."""
    rows: Any
    if Entry.objects.filter(company=company, effective_on__gt=on).exists():  # a day that is past, by the ledger
        moves = Entry.objects.filter(Q(dr=RECEIVABLE) | Q(cr=RECEIVABLE), company=company, effective_on__lte=on)
        late = moves.filter(invoice__due_on__lt=on, invoice__in_parts=False).order_by()
        sums = late.values("invoice", "client_id", "currency", "invoice__due_on")
        owed_then = sums.annotate(owed=Sum(SignedFor(RECEIVABLE))).filter(owed__gt=NO_AMOUNT)
        in_parts = owing(company, on).filter(in_parts=True, due_day__lt=on)
        rows = chain(
            owed_then.values_list("client_id", "currency", "invoice__due_on", "owed"),
            in_parts.values_list("client_id", "currency", "due_day", "owed"),
        )
    else:
        issued = Invoice.objects.issued().filter(company=company, due_on__lt=on, balance__gt=0).order_by()
        late_now = issued.annotate(late=Overdue(on))
        rows = late_now.values_list("client_id", "currency", "due_on", "late").iterator(2000)
    found: dict[int, _Overdue] = defaultdict(_Overdue)
    for client, currency, due_on, owed in rows:
        found[client].add(currency, due_on, owed)
    return dict(found)


def _held_against(company: Company, on: dt.date, clients: Sequence[int]) -> dict[int, _Overdue]:
    """What of it is neither disputed, promised nor paused; nothing of a client whose unapplied cash covers it all."""
    found: dict[int, _Overdue] = defaultdict(_Overdue)
    columns = ("client_id", "currency", "due_day", "owed", "disputed")
    for start in range(0, len(clients), BATCH):
        some = clients[start : start + BATCH]
        rows = chased(company, on).filter(client__in=some, due_day__lt=on)
        rows = may_be_asked(rows)
        for client, currency, due_on, owed, disputed in rows.values_list(*columns):
            found[client].add(currency, due_on, owed - disputed)
    cash = _free_cash([client for client, late in found.items() if late.since], on)
    return {client: late for client, late in found.items() if late.since and not late.is_covered(cash.get(client, {}))}


def _free_cash(clients: Sequence[int], on: dt.date) -> dict[int, dict[str, Decimal]]:
    """Unapplied cash per client and currency, without what waits for a pro forma."""
    found: dict[int, dict[str, Decimal]] = {}
    for start in range(0, len(clients), BATCH):
        cash = cash_of_clients(clients[start : start + BATCH], on)
        holders = Client.objects.filter(pk__in=cash) if cash else ()
        for (client, currency), exposure in exposures_of(holders, on).items():
            cash[client][currency] = cash[client].get(currency, Decimal(0)) - exposure.kept
        found |= cash
    return found


def _signals(company: Company, on: dt.date) -> dict[int, tuple[int, int]]:
    """Promises broken and payments returned in 180 days and since credit was last given, per client."""
    signals = signals_of(Client.objects.filter(company=company), on - dt.timedelta(days=SIGNAL_DAYS), on)
    if not signals:
        return {}
    given = StatusChange.objects.filter(
        client__in={pk for pk, _currency in signals}, status__in=["open", "stricter"], effective_on__lte=on
    )
    since = dict(given.order_by().values("client").annotate(last=Max("effective_on")).values_list("client", "last"))
    found: dict[int, tuple[int, int]] = {}
    for (client, _currency), signal in signals.items():
        after = since.get(client, dt.date.min)
        broken, back = found.get(client, (0, 0))
        found[client] = (
            broken + sum(day > after for day in signal.broken_on), back + sum(day > after for day in signal.returned_on)
        )
    return found


def _flags(company: Company, on: dt.date, policy: CreditPolicy) -> dict[int, list[tuple[str, str]]]:
    """Flags of valid checks that no decision has weighed since, with what the policy has each lead to at least."""
    weighed = CreditDecision.objects.filter(client=OuterRef("client"), decided_at__gt=OuterRef("entered_at"))
    checks = CreditCheck.objects.filter(client__company=company, checked_on__lte=on, valid_until__gte=on)
    found: dict[int, list[tuple[str, str]]] = {}
    rows = checks.exclude(flags=[]).exclude(Exists(weighed)).order_by("pk")
    for client, flags in rows.values_list("client_id", "flags"):
        found.setdefault(client, []).extend((flag, policy.flag_outcomes.get(flag, "")) for flag in flags)
    return found


def _as_json(rule: Rule) -> dict[str, Any]:
    money = rule.currency
    saw, needs = (
        f"{plain(value, money)} {money}" if money else str(value) for value in (rule.saw, rule.needs)
    )
    words = {
        "days": _("%(saw)s days overdue (from %(needs)s)"),
        "sum": _("%(saw)s overdue (from %(needs)s)"),
        "promises": _("%(saw)s promises broken in 180 days (from %(needs)s)"),
        "returned": _("%(saw)s payments returned in 180 days (from %(needs)s)"),
        "flag": _("the credit check says: %(saw)s"),
    }[rule.code]
    shown = str(dict(FLAGS).get(rule.saw, rule.saw)) if rule.code == "flag" else saw
    return {
        "code": rule.code, "says": words % {"saw": shown, "needs": needs}, "saw": saw, "needs": needs,
        "leads_to": rule.leads_to,
    }
