"""The ladder as arithmetic, and that the query looks at every invoice the arithmetic would serve."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ar_collections.models import Served
from ar_collections.reminders import (
    KINDS,
    LAST_DAYS_BEFORE_DUE,
    Rung,
    Stand,
    barrier,
    cycle_on,
    days_before,
    due_step,
    entry,
    is_reached,
    next_in_turn,
    reached_on,
    still_to_climb,
)
from ar_collections.services.business_days import openings
from ar_collections.services.deciding import SERVE, decide, ladder_of
from invoices.models import Invoice
from policies.ladder import DEFAULT_LADDER
from policies.services import policy_of
from tests.cast import make_client, make_company, make_invoice

LADDER = [
    Rung(
        s.code, s.offset_days, s.channel, s.extra.get("mandatory", False), s.extra.get("repeats_every_days"),
        s.extra.get("spacing_exempt", False),
    )
    for s in DEFAULT_LADDER
]
PLACES = {rung.code: place for place, rung in enumerate(LADDER)}
DUE = dt.date(2026, 6, 1)
SOME_DAY = st.integers(-40, 400).map(lambda n: DUE + dt.timedelta(days=n))
TERMS = st.integers(-5, 90)
STANDS = st.integers(-1, len(LADDER) - 1)


@given(TERMS, st.integers(-30, -1))
def test_a_step_before_the_due_date_leaves_time_to_pay_and_comes_after_the_issue(terms, offset):
    days = days_before(offset, terms)
    if days is None:
        assert terms <= LAST_DAYS_BEFORE_DUE or max(LAST_DAYS_BEFORE_DUE, min(-offset, terms // 2)) >= terms
    else:
        assert days < terms
        assert days == -offset if terms >= 2 * -offset else days >= LAST_DAYS_BEFORE_DUE


@given(SOME_DAY, TERMS)
def test_reached_never_comes_before_its_day_nor_too_late_before_the_due_date(on, terms):
    for rung in LADDER:
        if is_reached(rung, DUE, terms, on):
            assert on >= reached_on(rung, DUE, terms)
            assert rung.offset_days >= 0 or on <= DUE - dt.timedelta(days=LAST_DAYS_BEFORE_DUE)


def stands(furthest: int, on: dt.date) -> dict[str, Stand]:
    found = {}
    for kind in KINDS:
        place = max((n for n, r in enumerate(LADDER) if r.kind == kind and n <= furthest), default=-1)
        found[kind] = Stand(place, cycle_on(LADDER[place], DUE, on) if place >= 0 else 0)
    return found


@given(SOME_DAY, TERMS, STANDS)
def test_the_furthest_step_is_served_and_no_mandatory_notice_passed_over(on, terms, furthest):
    standing = stands(furthest, on)
    limit = barrier(LADDER, standing["message"])
    for kind in KINDS:
        due = due_step(LADDER, kind, standing[kind], limit=limit, due_on=DUE, terms_days=terms, on=on)
        if due is None:
            continue
        assert (due.place, due.cycle) > standing[kind]
        assert not any(LADDER[n].mandatory for n in due.passes_over)
        assert all(standing[kind].place < n < due.place for n in due.passes_over)
        assert not any(r.mandatory and standing["message"].place < n < due.place for n, r in enumerate(LADDER))
        later = [n for n, r in enumerate(LADDER) if r.kind == kind and due.place < n <= limit]
        assert not any(is_reached(LADDER[n], DUE, terms, on) for n in later)


@given(SOME_DAY)
def test_serving_what_is_due_ends_in_nothing_being_due(on):
    standing = {kind: Stand() for kind in KINDS}
    for _ in range(30):
        limit = barrier(LADDER, standing["message"])
        due = {
            kind: due_step(LADDER, kind, standing[kind], limit=limit, due_on=DUE, terms_days=30, on=on)
            for kind in KINDS
        }
        if not any(due.values()):
            return
        for kind, step in due.items():
            if step:
                standing[kind] = Stand(step.place, step.cycle)
    raise AssertionError("the ladder never ends")


@given(st.integers(0, 500))
def test_an_old_item_taken_over_climbs_step_by_step_from_the_friendly_one(days):
    on = DUE + dt.timedelta(days=days)
    place = entry(LADDER) - 1
    while due := next_in_turn(LADDER, still_to_climb(LADDER, place), due_on=DUE, on=on):
        assert due.place == place + 1 and due.passes_over == ()
        place = due.place
    assert place == len(LADDER) - 1 or not is_reached(LADDER[place + 1], DUE, None, on)


def test_the_statement_comes_back_every_thirty_days():
    statement = LADDER[PLACES["statement"]]
    days = [DUE + dt.timedelta(days=n) for n in (90, 119, 120, 149, 150)]
    assert [cycle_on(statement, DUE, day) for day in days] == [1, 1, 2, 2, 3]


@pytest.mark.django_db
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_the_query_looks_at_every_invoice_that_the_arithmetic_would_serve(data):
    """The query narrows by age; what it lets through is judged row by row. It must not lose anybody."""
    company = make_company("twin") if not Invoice.objects.exists() else Invoice.objects.get().company
    invoice = Invoice.objects.first() or make_invoice(make_client(company), on=DUE - dt.timedelta(days=30))
    policy = policy_of(company, DUE)
    assert ladder_of(policy) == tuple(LADDER)
    on = data.draw(SOME_DAY)
    served = data.draw(st.sets(st.sampled_from(range(len(LADDER)))))
    Served.objects.all().delete()
    for place in served:
        rung = LADDER[place]
        Served.objects.create(
            invoice=invoice, step=rung.code, channel=rung.channel, on=on - dt.timedelta(days=30),
            cycle=cycle_on(rung, DUE, on),
        )
    standing = {
        kind: max((Stand(n, cycle_on(LADDER[n], DUE, on)) for n in served if LADDER[n].kind == kind), default=Stand())
        for kind in KINDS
    }
    limit = barrier(LADDER, standing["message"])
    wanted = set()
    for kind in KINDS if on >= invoice.issued_on else ():
        due = due_step(LADDER, kind, standing[kind], limit=limit, due_on=DUE, terms_days=30, on=on)
        if due:
            wanted.add((kind, due.place, due.cycle, due.passes_over))
    places = openings(company, on, policy, None)
    found = {(d.kind, *d.due) for decisions in decide(company, on, policy, places) for d in decisions}
    assert found == wanted
    if on.weekday() < 5 and not places:
        return
    assert all(d.verdict in (SERVE, "window") for group in decide(company, on, policy, places) for d in group)
