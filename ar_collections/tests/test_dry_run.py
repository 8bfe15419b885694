"""The dry run on small books whose answer is plain: what a draft would send, charge and stop; nothing is written."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import DatabaseError, connection, connections

from ar_collections.models import Served
from ar_collections.services.dry_run import Question, dry_run
from ar_collections.services.dry_run.costs import already_overdue, choice_matters
from ar_collections.services.dry_run.owed import owed_now
from ar_collections.services.dry_run.running import what_matters
from ar_collections.services.dry_run.shadow import LONGEST_QUESTION_S, book_at_this_moment
from ar_collections.services.planning import plan
from clients.models import Client
from clients.services.status import set_status
from core.errors import Refused
from core.models import Company
from disputes.services import open_dispute
from invoices.interest import rounded
from invoices.models import Invoice
from invoices.services.charging import charge_compensation, charge_fee, charge_interest, give_interest_notice
from policies.models import Policy, PolicyDraft, Segment, Terms
from policies.services import new_version
from policies.services.drafts import activate_draft, begin_draft, save_draft
from policies.services.rates import add_rate
from tests.by_law import charge_by, enter_rates
from tests.cast import CLERK, TODAY, invoice_due, make_client, make_company, make_invoice, pay
from tests.collecting import a_day, days_pass

pytestmark = pytest.mark.django_db(transaction=True)

DAY = dt.timedelta(days=1)


def draft_with(values: dict[str, Any] | None = None, /, **steps: dict[str, Any] | None) -> PolicyDraft:
    """A draft of «standard» with some values, and some steps (by code) changed or, with None, taken out."""
    draft = begin_draft(Policy.objects.filter(name="standard").latest("effective_from"), CLERK)
    ladder = [
        step | (steps.get(step["code"]) or {}) for step in draft.steps
        if steps.get(step["code"], {}) is not None
    ]
    return save_draft(draft, values=values or {}, steps=ladder, version=draft.version, by=CLERK)


def tried(days: int = 10, **more: Any) -> dict[str, Any]:
    return dry_run(Question("standard", TODAY, days, **more))


def everything() -> dict[str, list[Any]]:
    """Every row of every table."""
    return {
        model._meta.db_table: sorted(map(str, model._default_manager.values_list()))
        for model in apps.get_models() if model._meta.managed
    }


def test_each_day_and_step_says_how_many_messages_invoices_and_how_much() -> None:
    company = make_company()
    two, one = make_client(company, "TWO"), make_client(company, "ONE")
    invoice_due(two, TODAY - DAY, "100")  # late since yesterday: today
    invoice_due(two, TODAY - DAY, "50.50")
    invoice_due(one, TODAY, "70")  # tomorrow
    told = tried(3)
    assert told["per_day"] == {
        "2026-11-18": {
            "messages": 1, "tasks": 0, "invoices": 2, "sums": {"EUR": "150.50"},
            "per_step": {"first_overdue": {"messages": 1, "tasks": 0, "invoices": 2, "sums": {"EUR": "150.50"}}},
        },
        "2026-11-19": {
            "messages": 1, "tasks": 0, "invoices": 1, "sums": {"EUR": "70.00"},
            "per_step": {"first_overdue": {"messages": 1, "tasks": 0, "invoices": 1, "sums": {"EUR": "70.00"}}},
        },
    }  # fmt: skip
    assert told["per_step"]["first_overdue"] == {
        "messages": 2, "tasks": 0, "invoices": 3, "sums": {"EUR": "220.50"}
    }
    first = told["first_day"]
    assert (first["on"], first["messages"], first["invoices"], first["sums"]) == (TODAY, 1, 2, {"EUR": "150.50"})


def test_the_first_day_is_a_surge_where_more_leaves_than_ever_does() -> None:
    company = make_company()
    for n in range(3):
        invoice_due(make_client(company, f"C-{n}"), TODAY - DAY)
    draft_with({"surge_floor": 2})
    first = tried(1)["first_day"]
    assert (first["messages"], first["usual"], first["would_be_held"]) == (3, 2, True)
    assert first["against_messages"] == 3


def test_it_is_what_the_days_then_bring() -> None:
    """The same planner: what is told is what ``run_day`` does afterwards, mandatory notices and calls included."""
    company = make_company()
    client = make_client(company)
    for age in (0, 6, 27):
        invoice_due(client, TODAY - age * DAY)
    told = tried(8)["per_day"]
    for n in range(8):
        on = TODAY + n * DAY
        done = a_day(company, on).to_json()["per_step"]
        assert {code: one["invoices"] for code, one in done.items()} == {
            code: one["invoices"] for code, one in told.get(on.isoformat(), {"per_step": {}})["per_step"].items()
        }, on


def test_nothing_is_written_and_nobody_waits() -> None:
    company = make_company()
    client = make_client(company)
    invoice_due(client, TODAY - 20 * DAY)
    plan(company, TODAY - DAY, by="test")  # something waits already
    draft_with(reminder_1={"offset_days": 9})
    before = everything()
    assert tried(3, past=3)["messages"] > 0
    assert everything() == before
    assert not hasattr(connection, "trial") and connections["default"].in_atomic_block is False


def test_the_database_itself_refuses_a_write_to_a_real_table_while_somebody_else_may_write() -> None:
    company = make_company()
    client = make_client(company)
    with book_at_this_moment() as book:
        with book.trial(what_matters(TODAY)):
            Client.objects.select_for_update().filter(pk=client.pk).update(name="Only here")
            assert Client.objects.get().name == "Only here"
            with pytest.raises(DatabaseError):
                Company.objects.update(name="Everywhere")
        assert Client.objects.get().name == client.name
    assert Client.objects.get().name == client.name


@pytest.mark.postgres
def test_whoever_writes_meanwhile_does_not_wait_for_it() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("needs PostgreSQL: set TEST_DATABASE_URL, or run bin/test")
    company = make_company()
    invoice_due(make_client(company), TODAY - DAY)
    with book_at_this_moment() as book, book.trial(what_matters(TODAY)):
        plan(company, TODAY, by="test", hold_allowed=False)
        with connections["default"].cursor() as cursor:
            cursor.execute("SHOW statement_timeout")
            assert cursor.fetchone() == (f"{LONGEST_QUESTION_S // 60}min",), "no question is asked for ever"
        other = connection.copy()
        try:
            other.set_autocommit(False)
            with other.cursor() as cursor:
                for copy in what_matters(TODAY):
                    # What stands against this lock is every lock but that of somebody who reads.
                    table = copy.model._meta.db_table
                    cursor.execute(f"LOCK TABLE {table} IN EXCLUSIVE MODE NOWAIT")
            other.rollback()
        finally:
            other.close()


def test_a_draft_like_the_version_in_force_makes_no_difference() -> None:
    company = make_company()
    invoice_due(make_client(company), TODAY - 20 * DAY)
    draft_with({"title": "The same by another name"})
    told = tried(12)
    assert told["differences"]["count"] == 0 and told["tried"] == "draft"
    assert told["per_day"] == told["against_days"]["per_day"] != {}


def test_a_version_that_was_activated_does_not_stand_in_the_way_of_the_next_trial() -> None:
    make_company()
    draft = draft_with({"spacing_days": 9})
    activate_draft(
        draft, effective_from=TODAY + DAY, already_overdue="activation", version=draft.version, on=TODAY, by=CLERK
    )
    draft_with({"spacing_days": 3})
    assert tried(3)["days"] is not None
    assert Policy.objects.filter(name="standard").count() == 2, "in the shadow alone it was out of the way"


def test_every_difference_is_named() -> None:
    company = make_company()
    client = make_client(company, "C-7", name="Seven")
    sooner = invoice_due(client, TODAY, "100")
    draft_with(
        first_overdue={"offset_days": 2}, reminder_1=None,
        call_1={"offset_days": 5}, call_2={"code": "call_early", "offset_days": 3},
    )
    told = dry_run(Question("standard", TODAY, 15), file=(file := io.StringIO()))
    rows = {row["step"]: (row["on"], row["against_on"], row["difference"]) for row in told["differences"]["rows"]}
    assert rows == {
        "first_overdue": ("2026-11-20", "2026-11-19", "later"),
        "reminder_1": (None, "2026-11-26", "left_out"),
        "call_1": ("2026-11-23", "2026-12-02", "sooner"),
        "call_early": ("2026-11-21", None, "new"),
    }
    assert told["differences"]["count"] == 4 and told["differences"]["clients"] == 1
    assert told["differences"]["per_step"]["call_1"]["sooner"] == 1
    lines = list(csv.DictReader(io.StringIO(file.getvalue())))
    assert {line["step"] for line in lines} == set(rows)
    assert lines[0]["client"] == "C-7" and lines[0]["invoice"] == str(sooner) and lines[0]["open"] == "100.00"


def test_another_channel_is_a_difference_too() -> None:
    company = make_company()
    invoice_due(make_client(company), TODAY)
    draft_with(first_overdue={"channel": "letter"})
    (row,) = tried(2)["differences"]["rows"]
    assert (row["difference"], row["by"], row["against_by"]) == ("otherwise", "letter", "mail")


def test_interest_is_what_the_rule_earns_over_the_days() -> None:
    """By contract only what a notice named earns: one was given before, the other is given in the trial."""
    company = make_company()  # 12 % in the terms
    told_before, told_now = make_client(company, "A"), make_client(company, "B")
    noticed = invoice_due(told_before, TODAY - 12 * DAY, "1000")
    give_interest_notice(noticed, interest_from=TODAY - 2 * DAY, on=TODAY - 9 * DAY, by=CLERK)
    invoice_due(told_now, TODAY - 30 * DAY, "500")  # sent again today, interest from the seventh day on
    told = tried(10)
    assert "reissue" in told["per_day"]["2026-11-18"]["per_step"]
    a_day_earns = Decimal("0.12") / 365
    right = round(1000 * 10 * a_day_earns, 2) + round(500 * 3 * a_day_earns, 2)
    assert told["interest"] == {"EUR": {"tried": f"{right:f}", "against": f"{right:f}"}}
    assert told["bearing_interest"]["tried"] == {"EUR": 2}


def test_a_draft_by_another_rule_shows_both_sums_and_names_the_rate_that_is_missing() -> None:
    company = make_company()
    invoice_due(make_client(company), TODAY - 5 * DAY, "1000")
    draft_with({"interest": "DE-B2B"}, first_overdue={"claims_interest": True})
    told = tried(2)
    assert told["missing_rates"] == ["de_basiszins 2026-H2"] and told["interest"] == {}
    assert told["compensation"] == {"EUR": {"tried": "40.00", "against": "0.00"}}
    add_rate(
        "de_basiszins", from_on=dt.date(2026, 7, 1), valid_through=dt.date(2026, 12, 31), percent=Decimal("1.52"),
        source="made up", by=CLERK,
    )
    right = round(Decimal(1000) * Decimal("0.1052") * 2 / 365, 2)
    assert tried(2)["interest"] == {"EUR": {"tried": f"{right:f}", "against": "0.00"}}


def test_fees_are_those_of_the_steps_that_would_be_served() -> None:
    company = make_company()
    for n in range(3):
        invoice_due(make_client(company, f"C-{n}"), TODAY - 8 * DAY)
    draft_with(reminder_1={"fee": {"EUR": "7.50"}})
    assert tried(1)["fees"] == {"EUR": {"tried": "22.50", "against": "0.00"}}


def test_clients_newly_cash_only_are_named_and_those_who_are_already_are_not() -> None:
    company = make_company()
    for number in ("NEW", "OLD"):
        invoice_due(make_client(company, number), TODAY - 8 * DAY)
    old = Client.objects.get(number="OLD")
    set_status(old, "cash_only", because="test", source="policy", on=TODAY - DAY, by="system")
    draft_with(reminder_1={"sets_cash_only": True})
    told = tried(1)["cash_only"]
    assert (told["count"], told["against_count"], told["new"]) == (1, 0, 1)
    assert [(row["client"], row["step"]) for row in told["clients"]] == [("NEW", "reminder_1")]


def test_only_what_the_policy_holds_for_is_told() -> None:
    company = make_company()
    Policy.objects.create(name="gentle", effective_from=dt.date(2020, 1, 1))
    new_version(
        Policy.objects.get(name="gentle"), effective_from=TODAY - DAY, changes={},
        steps=[{"code": "first_overdue", "title": "Hello", "offset_days": 1, "channel": "mail", "tone": "friendly"}],
        on=TODAY - 2 * DAY, by=CLERK,
    )
    public = Segment.objects.create(company=company, name="Public", policy_name="gentle")
    invoice_due(make_client(company, "P", segment=public), TODAY - DAY)
    invoice_due(make_client(company, "S"), TODAY - DAY)
    assert tried(1)["messages"] == 1
    assert dry_run(Question("gentle", TODAY, 1))["messages"] == 1


def test_what_was_sent_on_days_gone_by_stands_beside_what_the_draft_would_have_sent() -> None:
    company = make_company()
    client = make_client(company)
    invoice = invoice_due(client, TODAY - 10 * DAY, "100")
    days_pass(company, TODAY - 10 * DAY, TODAY - DAY)
    pay(client, "100", on=TODAY)
    assert Served.objects.filter(invoice=invoice, outcome="served").count() == 2
    draft_with(reminder_1={"offset_days": 9})
    past = tried(0, past=10)["past"]
    assert past["sent"]["per_step"].keys() == past["per_step"].keys() == {"first_overdue", "reminder_1"}
    assert past["per_step"]["reminder_1"]["sums"] == {"EUR": "100.00"}
    (row,) = past["differences"]["rows"]
    assert (row["step"], row["difference"]) == ("reminder_1", "later")


def test_the_version_to_compare_with_can_be_named() -> None:
    company = make_company()
    invoice_due(make_client(company), TODAY)
    old = Policy.objects.get(name="standard")
    steps = [step for step in begin_draft(old, CLERK).steps if step["code"] != "first_overdue"]
    PolicyDraft.objects.all().delete()
    new_version(old, effective_from=TODAY + DAY, changes={}, steps=steps, on=TODAY, by=CLERK)
    told = dry_run(Question("standard", TODAY, 2, against="2000-01-01"))
    assert told["tried"] == "2026-11-19"
    assert [(row["step"], row["difference"]) for row in told["differences"]["rows"]] == [("first_overdue", "left_out")]
    with pytest.raises(Refused, match="2000-01-01"):
        dry_run(Question("standard", TODAY, 2, against="1999-01-01"))
    # Beside what is in force day by day: the new version takes over tomorrow, so that neither says a word.
    assert tried(3)["differences"]["count"] == 0


def test_the_command_answers_in_json_and_writes_a_file(tmp_path: Any) -> None:
    company = make_company()
    invoice_due(make_client(company), TODAY)
    out, said, path = io.StringIO(), io.StringIO(), tmp_path / "all.csv"
    call_command(
        "dry_run", "standard", "--days", "3", "--on", TODAY.isoformat(), "--csv", str(path), "--json", stdout=out,
        stderr=said,
    )
    told = json.loads(out.getvalue())
    assert told["messages"] == 1 and told["differences"]["count"] == 0
    assert "3 of 3 days" in said.getvalue()
    assert path.read_text().startswith("client,client name,invoice,")
    call_command("dry_run", "standard", "--days", "3", "--on", TODAY.isoformat(), stdout=(text := io.StringIO()))
    assert "first day: 1 messages on 2026-11-19" in text.getvalue()


def test_a_policy_nobody_knows_is_refused() -> None:
    make_company()
    with pytest.raises(Refused, match="standard"):
        dry_run(Question("strict", TODAY, 3))
    with pytest.raises(Refused):
        tried(0)


CHOICES: list[tuple[Any, ...]] = [("activation",), ("due_date",), ("chosen", TODAY - 9 * DAY)]


def preview(company: Company, policy: Policy, *choice: Any) -> dict[str, Any]:
    owed = owed_now("standard", [company.pk], [company.pk], TODAY - DAY)
    return already_overdue(owed, policy, TODAY, *choice)


def noticed(client: Client, age: int, amount: str) -> Invoice:
    """Due so many days ago, with notice from the fifth day on."""
    due = TODAY - age * DAY
    invoice = invoice_due(client, due, amount)
    give_interest_notice(invoice, interest_from=due + 5 * DAY, on=due + 2 * DAY, by=CLERK)
    return invoice


def in_halves(client: Client, first: dt.date, second: dt.date) -> Invoice:
    """1,000 in two parts of 500."""
    issued = first - 14 * DAY
    terms = Terms.objects.create(
        company=client.company, name=f"Halves {first}", net_days=30, late_percent=12,
        parts=[{"percent": "50", "days": 14}, {"percent": "50", "days": (second - issued).days}],
    )
    return make_invoice(client, on=issued, terms=terms)


def test_what_is_overdue_already_bears_interest_by_the_choice() -> None:
    """1,000 EUR 20 days late at 12 % on the day the version begins, noticed long ago; until then none was charged."""
    company = make_company()
    client = make_client(company)
    noticed(client, 20, "1000")
    invoice_due(client, TODAY + 5 * DAY, "400")
    charge_by(company, "NONE", TODAY - 25 * DAY)
    policy = Policy(name="standard", effective_from=TODAY, interest="CONTRACT")
    told = [preview(company, policy, *choice)["per_currency"]["EUR"] for choice in CHOICES]
    a_day_earns = Decimal(1000) * Decimal("0.12") / 365
    assert told == [  # by contract: since the notice
        (1, Decimal(1000), round(days * a_day_earns, 2)) for days in (1, 16, 10)
    ]
    assert choice_matters(owed_now("standard", [company.pk], [company.pk], TODAY), policy, TODAY)
    policy.interest_posted = "noted"
    for choice, days in zip(CHOICES, (1, 16, 10), strict=True):
        told_of_noted = preview(company, policy, *choice)
        assert told_of_noted["per_currency"] == {}, "noted is charged to nobody"
        assert told_of_noted["noted"] == {"EUR": round(days * a_day_earns, 2)}


@pytest.mark.parametrize("choice", CHOICES)
def test_what_the_preview_says_is_what_charging_posts(choice: tuple[Any, ...]) -> None:
    """Paid in part, charged in part, in two parts, disputed, noted for a while: to the cent what charging comes to."""
    company = make_company()
    client = make_client(company)
    plain = noticed(client, 40, "1000")
    paid = noticed(client, 35, "700")
    pay(client, "600", on=TODAY - 12 * DAY, how={f"invoice:{paid.pk}": Decimal(600)})
    halves = in_halves(client, TODAY - 30 * DAY, TODAY - 6 * DAY)
    give_interest_notice(halves, interest_from=TODAY - 29 * DAY, on=TODAY - 30 * DAY, by=CLERK)
    charge_interest(plain, until=TODAY - 30 * DAY, on=TODAY - 30 * DAY, by=CLERK)
    charge_by(company, "CONTRACT", TODAY - 20 * DAY, interest_posted="noted")
    quarrel = noticed(client, 15, "300")
    open_dispute(quarrel, amount=Decimal(100), reason="other", on=TODAY - 4 * DAY, by=CLERK)
    policy = Policy(name="standard", effective_from=TODAY, interest="CONTRACT")
    invoices, _open, told = preview(company, policy, *choice)["per_currency"]["EUR"]
    charge_by(
        company, "CONTRACT", TODAY, interest_posted="month_end", already_overdue=choice[0],
        already_overdue_from=choice[1] if len(choice) > 1 else None,
    )
    made = [charge_interest(one, until=TODAY, on=TODAY, by=CLERK) for one in (plain, paid, halves, quarrel)]
    assert told == sum((c.amount for some in made for c in some), Decimal(0))
    assert invoices == sum(bool(some) for some in made) == 4


def test_where_the_rule_was_the_same_before_the_choice_makes_no_difference_and_this_is_said() -> None:
    company = make_company()
    noticed(make_client(company), 20, "1000")
    policy = Policy.objects.get(name="standard")
    assert len({str(preview(company, policy, *choice)) for choice in CHOICES}) == 1
    assert not choice_matters(owed_now("standard", [company.pk], [company.pk], TODAY), policy, TODAY)
    draft = draft_with()
    assert any("makes no difference" in said for said in tried(1)["assumed"])
    save_draft(draft, values={"interest": "NONE"}, steps=draft.steps, version=draft.version, by=CLERK)
    assert any("activating it asks" in said for said in tried(1)["assumed"])


def test_interest_that_is_only_noted_is_told_apart_and_none_is_charged() -> None:
    company = make_company()
    noticed(make_client(company), 20, "1000")
    draft_with({"interest_posted": "noted"})
    ten_days = f"{round(10 * 1000 * Decimal('0.12') / 365, 2):f}"
    told = tried(10)
    assert told["interest"] == {"EUR": {"tried": "0.00", "against": ten_days}}
    assert told["noted"] == {"EUR": {"tried": ten_days, "against": "0.00"}}


def test_a_part_that_is_not_due_yet_and_what_is_charged_already_cost_nothing_again() -> None:
    """Of 1,000 in two parts 100 are paid; the second falls due on the fifth day. Fee and lump sum stand charged."""
    company = make_company()
    enter_rates()
    charge_by(company, "EU", TODAY - 100 * DAY)
    client = make_client(company)
    halves = in_halves(client, TODAY - 8 * DAY, TODAY + 4 * DAY)
    pay(client, "100", on=TODAY - 2 * DAY, how={f"invoice:{halves.pk}": Decimal(100)})
    charge_interest(halves, until=TODAY, on=TODAY, by=CLERK)
    draft_with(reminder_1={"fee": {"EUR": "7.50"}, "claims_interest": True})
    told = tried(10)
    right = Fraction(1040, 100 * 100 * 365) * (400 * 9 + 500 * 5)
    assert told["interest"]["EUR"]["tried"] == f"{rounded(right, 2):f}", "today is charged already"
    assert told["fees"] == {"EUR": {"tried": "7.50", "against": "0.00"}}
    assert told["compensation"] == {"EUR": {"tried": "40.00", "against": "0.00"}}
    step = Policy.objects.filter(name="standard").latest("effective_from").steps.get(code="reminder_1")
    step.fee = {"EUR": "7.50"}
    charge_fee(halves, step, on=TODAY, by=CLERK)
    charge_compensation(halves, on=TODAY, by=CLERK)
    told = tried(10)
    assert told["fees"] == told["compensation"] == {}


def test_without_a_draft_what_is_in_force_is_beside_itself_and_differs_in_nothing() -> None:
    company = make_company()
    for number, days in (("C-1", 3), ("C-2", 20)):
        invoice_due(make_client(company, number), TODAY - days * DAY, "300")
    file = io.StringIO()
    answer = dry_run(Question("standard", TODAY, 10), file=file)
    assert answer["messages"] > 2 and answer["differences"]["count"] == 0
    rows = list(csv.DictReader(io.StringIO(file.getvalue())))
    assert {row["difference"] for row in rows} == {"same"} and all(row["on"] == row["compared: on"] for row in rows)
