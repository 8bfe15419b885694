"""What credit asks of a person, tab by tab; and how credit stands in the list of clients and on Today."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.urls import reverse

from ar_collections.models import Greeting, LimitProposal
from ar_collections.services.desk import open_task
from clients.services.checks import enter_check
from clients.services.limits import set_limit
from clients.services.marks import note_exposure
from clients.services.status import set_status
from outbox.models import Message
from policies.credit import credit_policy_of
from policies.credit_terms import new_terms_version, shipped_terms
from policies.models import Occasion
from policies.occasions import seed_occasions
from tests.cast import CLERK, TODAY, invoice_due, make_client, make_company, make_manager

pytestmark = pytest.mark.django_db
NOON = dt.datetime.combine(TODAY, dt.time(12), tzinfo=dt.UTC)


@pytest.fixture
def desk(client: Any, clerk: Any, company: Any) -> Any:
    with time_machine.travel(NOON, tick=False):
        client.force_login(clerk)
        yield client


def text(answer: Any) -> str:
    return answer.content.decode()


def csv(answer: Any) -> list[str]:
    return b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()


def limit(client: Any, amount: str) -> None:
    set_limit(client, Decimal(amount), client.currency, because="test", source="import", on=TODAY, by=CLERK)


def near(client: Any, owed: str, amount: str) -> None:
    """The client owes so much of a limit, and the mark is told."""
    invoice_due(client, TODAY + dt.timedelta(days=9), owed)
    limit(client, amount)
    note_exposure(client, client.currency, Decimal(owed), TODAY)


def propose(client: Any) -> LimitProposal:
    return LimitProposal.objects.create(
        client=client, currency="EUR", as_of=TODAY, risk="high", current=Decimal(1000), proposed=Decimal(500),
        policy=credit_policy_of(client.company, TODAY),
        reasons=[{"code": "promises_broken", "saw": 3, "needs": 2, "leads_to": "down", "says": "…"}],
        arithmetic={"lines": [{"code": "limit", "amount": "1000.00"}, {"code": "proposed", "amount": "500.00"}]},
    )  # fmt: skip


def test_each_client_stands_on_the_tabs_it_belongs_to(desk, company):
    new_terms_version(company, shipped_terms(), effective_from=TODAY, on=TODAY, by=CLERK)
    names = {name: make_client(company, f"C-{name}", name=f"{name} Ltd") for name in ("Near", "Cash", "Free", "Old")}
    near(names["Near"], "900", "1000")
    for name in ("Cash", "Old"):
        limit(names[name], "1000")
    set_status(names["Cash"], "cash_only", because="Cheque came back", source="policy", on=TODAY, by="system")
    facts = {"provider": "Agency", "checked_on": TODAY - dt.timedelta(days=400)}
    enter_check(names["Old"], facts, on=TODAY, by=CLERK)
    shown = {
        tab: {name for name in names if f"{name} Ltd" in text(desk.get(f"/credit/?tab={tab}"))}
        for tab in ("near", "restricted", "unlimited", "checks", "terms")
    }
    assert shown == {
        "near": {"Near"}, "restricted": {"Cash"}, "unlimited": {"Free"}, "checks": {"Old"}, "terms": set(names),
    }  # fmt: skip
    page = text(desk.get("/credit/?tab=near"))
    assert "90 % of the limit" in page and "€100.00" in page
    assert "Cheque came back" in text(desk.get("/credit/?tab=restricted"))


def test_a_status_that_has_ended_restricts_nobody(desk, late_client):
    yesterday = TODAY - dt.timedelta(days=1)
    set_status(late_client, "cash_only", because="why", source="policy", on=yesterday, ends_on=yesterday, by="system")
    assert "Everybody buys on credit" in text(desk.get("/credit/?tab=restricted"))


def test_the_file_holds_the_tab_and_hides_no_formula(desk, company):
    near(make_client(company, "C-9", name="=HYPERLINK(1)"), "1200", "1000")
    lines = csv(desk.get("/credit/?tab=near&format=csv"))
    assert lines[0].startswith("number,name,country,currency,status,limit,exposure,available")
    assert lines[1].startswith("C-9,'=HYPERLINK(1),DE,EUR,open,1000.00,1200.00,-200.00")


def test_nothing_that_waits_says_what_would_stand_here(desk, company):
    for tab in ("proposals", "near", "restricted", "unlimited", "checks", "terms", "greetings", "nonsense"):
        page = desk.get(f"/credit/?tab={tab}")
        assert page.status_code == 200 and 'class="blank"' in text(page)


def test_proposals_wait_in_the_rail_and_on_today_and_are_answered_in_the_list(desk, late_client):
    limit(late_client, "1000")
    proposal = propose(late_client)
    assert "1 proposed credit limit waits for an answer" in text(desk.get("/"))
    page = desk.get("/credit/")
    assert page.context["tab"] == "proposals" and page.context["nav"]["counts"]["credit"] == 1
    assert "3 promises broken in 180 days; from 2 on the limit shrinks" in text(page)
    assert reverse("dashboard:proposal_approve", args=[proposal.pk]) not in text(page)
    assert csv(desk.get("/credit/?tab=proposals&format=csv"))[1].startswith(f"{late_client.number},")
    desk.force_login(make_manager())
    answer = desk.post(reverse("dashboard:proposal_approve", args=[proposal.pk]), {"next": "/credit/?tab=proposals"})
    assert answer["Location"] == "/credit/?tab=proposals"
    assert "No limit is proposed" in text(desk.get("/credit/?tab=proposals"))


def test_today_says_who_has_reached_the_limit(desk, late_client):
    near(late_client, "1000", "1000")
    assert "1 client has reached the credit limit" in text(desk.get("/"))


def test_who_is_called_knows_the_credit_status(desk, late_client):
    invoice_due(late_client, TODAY - dt.timedelta(days=20), "500")
    open_task(late_client, "call", because="late", due_on=TODAY, on=TODAY, by="system")
    assert "Cash only" not in text(desk.get("/collections/"))
    set_status(late_client, "cash_only", because="why", source="policy", on=TODAY, by="system")
    assert "Cash only" in text(desk.get("/collections/"))


def test_the_terms_go_to_everybody_who_was_not_asked(desk, company, late_client):
    new_terms_version(company, shipped_terms(), effective_from=TODAY, on=TODAY, by=CLERK)
    make_client(company, "C-7", email=None, name="Grünfink")
    sent = desk.post("/credit/terms/send/", follow=True)
    assert Message.objects.filter(kind="credit_terms").count() == 1
    assert "leave for 1 client" in text(sent) and "Not sent: Grünfink" in text(sent)


def test_a_greeting_is_left_out_and_put_back(desk, company, late_client):
    seed_occasions(company, CLERK)
    person = late_client.contacts.get()
    person.greetings_since = TODAY
    person.save()
    row = next(r for r in desk.get("/credit/?tab=greetings").context["page"] if r.state == "goes")
    facts = {"contact": person.pk, "occasion": row.occasion.pk, "year": row.year}
    assert "Write why" in text(desk.post("/credit/greetings/leave-out/", facts, follow=True))
    out = desk.post("/credit/greetings/leave-out/", facts | {"because": "In mourning"}, follow=True)
    left = Greeting.objects.get()
    assert left.left_out_because == "In mourning" and reverse("dashboard:greeting_restore", args=[left.pk]) in text(out)
    assert "left out" in text(out) and csv(desk.get("/credit/?tab=greetings&format=csv"))[1].count("left_out") == 1
    desk.post(reverse("dashboard:greeting_restore", args=[left.pk]))
    assert not Greeting.objects.exists()


def test_a_greeting_of_another_company_is_not_found_here(desk, company):
    other = make_company("us", currency="USD")
    seed_occasions(other, CLERK)
    person = make_client(other, "1001").contacts.get()
    facts = {"contact": person.pk, "occasion": Occasion.objects.filter(company=other).first().pk, "year": 2026}
    assert desk.post("/credit/greetings/leave-out/", facts | {"because": "x"}).status_code == 404
    assert desk.post("/credit/greetings/leave-out/", {"contact": "²"}).status_code == 404


def test_the_lists_ask_the_database_a_fixed_number_of_times(desk, company, django_assert_max_num_queries):
    new_terms_version(company, shipped_terms(), effective_from=TODAY, on=TODAY, by=CLERK)
    for n in range(12):
        near(make_client(company, f"C-{n}"), "900", "1000")
    for address, most in (("/credit/?tab=near", 45), ("/credit/?tab=terms", 45), ("/clients/", 30)):
        with django_assert_max_num_queries(most):
            assert desk.get(address).status_code == 200


def test_the_list_of_clients_shows_credit_filters_by_it_and_sorts_by_it(desk, company):
    names = {name: make_client(company, f"C-{name}", name=f"{name} Ltd") for name in ("Near", "Cash", "Free")}
    near(names["Near"], "900", "1000")
    limit(names["Cash"], "700")
    set_status(names["Cash"], "cash_only", because="why", source="policy", on=TODAY, by="system")

    def listed(query: str) -> list[str]:
        return [client.name.split()[0] for client in desk.get(f"/clients/?{query}").context["page"]]

    page = text(desk.get("/clients/"))
    assert "€100.00" in page and "no limit" in page and "Cash only" in page and "€700.00" not in page
    assert [listed(f"credit={asked}") for asked in ("near", "cash_only", "unlimited", "closed", "nonsense")] == [
        ["Near"], ["Cash"], ["Free"], [], ["Cash", "Free", "Near"],
    ]  # fmt: skip
    assert listed("sort=credit")[0] == "Cash" and listed("sort=-credit")[-1] == "Cash"
    lines = csv(desk.get("/clients/?credit=cash_only&format=csv"))
    assert lines[0].endswith("credit status,credit limit,exposure,available credit,owed in other currencies")
    assert lines[1].endswith("cash_only,700.00,0.00,0.00,")


def test_only_staff_come_in(client, company, late_client):
    for name in ("client_credit", "client_about", "client_timeline", "limit_set", "check_new"):
        assert client.get(reverse(f"dashboard:{name}", args=[late_client.pk])).status_code == 302
    assert client.get("/credit/").status_code == 302
