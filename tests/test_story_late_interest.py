"""Cases 14, 15, 16 and 17: interest with part payments, interest that is not lost, nothing retroactive, empty is none.

1,000 at 12 %, 400 paid day 30, settled day 59 → 15.58 (not 19.40 or 11.64), however it is sliced. Paying principal
leaves the interest claim open. Activation asks from when; a changed policy never changes past charges.
"""

from __future__ import annotations

import datetime as dt
import io
import itertools
from decimal import Decimal

import pypdf
import pytest

from ar_collections.models import Hold, Served, Task
from ar_collections.reports import next_step
from ar_collections.services.holding import release_hold
from ar_collections.services.interest import apply_late_interest, correct_interest
from ar_collections.services.planning import plan
from clients.models import Contact
from core.dates import add_months
from core.errors import Refused
from core.services import read_file
from invoices.models import RECEIVABLE, REVENUE, Charge, Entry, Intake, InterestNotice, Invoice
from invoices.services.charging import accrued, charge_interest, give_interest_notice, waive_charge
from invoices.services.ledger import NewEntry, post_entry
from outbox.services import deliver, send_again
from payments.models import Allocation
from policies.services import new_version, policy_of
from portal.pages import next_reminder
from tests.cast import CLERK, invoice_due, make_client, make_company, make_manager, pay
from tests.collecting import DAY, days, days_pass, sent_to, served

pytestmark = pytest.mark.django_db

DUE = dt.date(2026, 1, 1)


def day(n: int) -> dt.date:
    return DUE + dt.timedelta(days=n)


@pytest.fixture
def invoice(late_client) -> Invoice:
    """1,000 at 12 %, with notice so that interest runs from the first day after the due date."""
    invoice = invoice_due(late_client, DUE)
    InterestNotice.objects.create(invoice=invoice, interest_from=day(1), given_on=day(1), given_by=CLERK)
    return invoice


def pay_only(invoice: Invoice, amount: str, on: dt.date):
    return pay(invoice.client, amount, on=on, how={f"invoice:{invoice.pk}": Decimal(amount)})


def charged(invoice: Invoice) -> Decimal:
    undone = Entry.objects.filter(kind="reversal", charge__isnull=False).values("charge")
    standing = Charge.objects.filter(invoice=invoice).exclude(pk__in=undone)
    return sum(standing.values_list("amount", flat=True), Decimal(0))


def test_part_paid_on_day_30_settled_on_day_59_15_58(invoice):
    pay_only(invoice, "400", day(30))
    pay_only(invoice, "600", day(59))
    assert accrued(invoice, day(59)).interest.total == Decimal("15.58")
    charge_interest(invoice, until=day(59), on=day(59), by="system")
    assert charged(invoice) == Decimal("15.58")


def test_the_nights_charge_it_in_slices_that_add_up_to_the_same(invoice):
    company = invoice.company
    for on in days(day(1), day(70)):
        if on == day(30):
            pay_only(invoice, "400", on)
        if on == day(59):
            pay_only(invoice, "600", on)
        apply_late_interest(company, on, by="system")
        assert apply_late_interest(company, on, by="system") == {}, "a second time charges nothing"
    slices = list(Charge.objects.order_by("from_on").values_list("from_on", "to_on", "amount"))
    assert [(first, last) for first, last, _ in slices] == [
        (day(1), dt.date(2026, 1, 31)), (dt.date(2026, 2, 1), dt.date(2026, 2, 28)), (dt.date(2026, 3, 1), day(59)),
    ]
    assert sum(amount for *_, amount in slices) == Decimal("15.58")
    assert Charge.objects.first().key == f"interest:{invoice.pk}:2026-01-02:2026-01-31:1"


def test_the_derivation_says_how_the_amount_came_about(invoice):
    pay_only(invoice, "400", day(30))
    (january,) = charge_interest(invoice, until=dt.date(2026, 1, 31), on=dt.date(2026, 1, 31), by="system")
    said = january.derivation
    assert said["percent"] == "12.000" and said["day_count"] == "act/365"
    assert [(line["from"], line["to"], line["days"], line["balance"]) for line in said["lines"]] == [
        ("2026-01-02", "2026-01-31", 30, "1000.00")
    ]
    assert Decimal(said["total"]) + Decimal(said["carried"]) == january.amount == Decimal("9.86")


def test_twelve_months_add_up_to_the_year_and_interest_is_never_charged_on_interest(invoice):
    """Each month rounded by itself would come to 119.65; rounded once, 364 days at 12 % are 119.67."""
    for month in range(1, 13):
        apply_late_interest(invoice.company, add_months(dt.date(2026, 1, 31), month - 1), by="system")
    invoice.refresh_from_db()
    assert invoice.balance == Decimal(1000)
    assert Charge.objects.count() == 12
    assert charged(invoice) == accrued(invoice, dt.date(2026, 12, 31)).interest.total == Decimal("119.67")


def test_paying_only_the_principal_leaves_the_interest_open_until_it_is_waived(invoice):
    """Case 15 (erpnext#58220): never silently lost; staff collect it or waive it with a reason."""
    apply_late_interest(invoice.company, dt.date(2026, 1, 31), by="system")
    pay_only(invoice, "1000", dt.date(2026, 1, 31))
    invoice.refresh_from_db()
    charge = Charge.objects.get()
    assert invoice.balance == 0 and charge.balance == charge.amount > 0
    manager = make_manager()
    with pytest.raises(Refused):
        waive_charge(charge, reason=" ", on=day(40), by=manager)
    with pytest.raises(Refused) as refused:
        waive_charge(charge, reason="I would rather not", on=day(40), by=CLERK)
    assert refused.value.code == "permission"
    charge = waive_charge(charge, reason="goodwill, first time", on=day(40), by=manager)
    assert charge.balance == 0
    assert Entry.objects.get(kind="waiver").memo == "goodwill, first time"
    with pytest.raises(Refused):
        waive_charge(charge, reason="again", on=day(40), by=manager)
    assert apply_late_interest(invoice.company, day(60), by="system") == {}, "what was waived is not charged again"


def test_a_payment_dated_back_replaces_the_charge_by_its_next_revision(invoice):
    company = invoice.company
    apply_late_interest(company, dt.date(2026, 1, 31), by="system")
    first = Charge.objects.get()
    pay(invoice.client, str(first.amount), on=dt.date(2026, 2, 2), how={f"charge:{first.pk}": first.amount})
    assert Allocation.objects.standing().filter(charge=first).exists()
    pay_only(invoice, "500", day(10))  # posted in February, effective in January
    posted = apply_late_interest(company, dt.date(2026, 2, 10), by="system")
    second = Charge.objects.get(revision=2)
    assert posted == {"EUR": second.amount} and second.amount < first.amount
    assert second.key == f"interest:{invoice.pk}:2026-01-02:2026-01-31:2"
    assert second.amount == accrued(invoice, dt.date(2026, 1, 31)).interest.total
    first.refresh_from_db()
    assert first.balance == 0 and not Allocation.objects.standing().filter(charge=first).exists()
    assert apply_late_interest(company, dt.date(2026, 2, 10), by="system") == {}
    assert correct_interest(invoice, on=dt.date(2026, 2, 11), by="system") == []


def test_an_invoice_found_to_have_been_paid_in_january_is_charged_for_january_only(invoice):
    company = invoice.company
    for end in (dt.date(2026, 1, 31), dt.date(2026, 2, 28), dt.date(2026, 3, 31)):
        apply_late_interest(company, end, by="system")
    pay_only(invoice, "1000", day(20))
    apply_late_interest(company, dt.date(2026, 4, 1), by="system")
    undone = Entry.objects.filter(kind="reversal").values("charge")
    (left,) = Charge.objects.exclude(pk__in=undone)
    assert (left.from_on, left.to_on, left.amount) == (day(1), day(20), Decimal("6.58"))


def test_without_notice_nothing_is_charged_and_from_the_notice_on_it_is(late_client):
    invoice = invoice_due(late_client, DUE)
    assert apply_late_interest(invoice.company, day(60), by="system") == {}
    with pytest.raises(Refused):
        charge_interest(invoice, until=day(61), on=day(60), by="system")
    assert charge_interest(invoice, until=day(60), on=day(60), by="system") == []
    with pytest.raises(Refused):
        give_interest_notice(invoice, interest_from=day(59), on=day(60), by=CLERK)
    give_interest_notice(invoice, interest_from=day(67), on=day(60), by=CLERK)
    give_interest_notice(invoice, interest_from=day(90), on=day(61), by=CLERK)
    assert accrued(invoice, day(68)).interest.total == Decimal("0.66"), "two days; the first notice stands"


def test_no_percentage_in_the_terms_no_interest():
    """Case 17: empty means none."""
    company = make_company("zero", late_percent="0")
    invoice = invoice_due(make_client(company), DUE)
    days_pass(company, day(30), day(50))
    assert not InterestNotice.objects.exists() and not Charge.objects.exists()
    assert "nterest" not in sent_to(invoice.client)[0].text


def test_a_changed_policy_never_changes_a_past_charge_and_every_charge_names_its_version(invoice):
    company = invoice.company
    apply_late_interest(company, dt.date(2026, 1, 31), by="system")
    first = Charge.objects.get()
    old = policy_of(company, dt.date(2026, 1, 31))
    assert first.policy == old
    new_version(
        old, effective_from=dt.date(2026, 2, 1), changes={"interest": "NONE"}, steps=None, on=dt.date(2026, 1, 31),
        by=CLERK,
    )
    assert apply_late_interest(company, dt.date(2026, 2, 28), by="system") == {}
    first.refresh_from_db()
    assert first.balance == first.amount


def test_the_notice_of_the_re_issued_invoice_starts_it_and_the_final_notice_claims_it(late_client):
    invoice = invoice_due(late_client, DUE)
    days_pass(late_client.company, day(21), day(47))
    reissued, final = (m for m in sent_to(late_client) if m.subject.startswith(("Invoice", "Final")))
    assert "8 February 2026" in reissued.text and "12" in reissued.text
    assert reissued.on == dt.date(2026, 2, 2), "day 30 was a Saturday"
    assert invoice.interest_notices.get().interest_from == dt.date(2026, 2, 9)
    assert [a["name"] for a in reissued.attachments] == [f"letter-{reissued.on}.pdf", f"{invoice.number}.pdf"]
    cover = pypdf.PdfReader(io.BytesIO(read_file(reissued.attachments[0]["sha256"]))).pages[0].extract_text()
    assert "8 February 2026" in cover and str(invoice.number) in cover
    assert reissued.attachments[1]["sha256"] == Invoice.objects.get().pdf.sha256, "the same bytes as when it was issued"
    claim = Charge.objects.get()
    assert final.on == claim.charged_on == claim.to_on
    assert f"interest of €{claim.amount:.2f}" in final.text
    assert "9 Feb 2026 to" in final.text
    assert "attorney" not in reissued.text
    letter = pypdf.PdfReader(io.BytesIO(read_file(final.attachments[0]["sha256"]))).pages[0].extract_text()
    assert f"€{Decimal(1000) + claim.amount:,.2f}" in letter and f"Interest on {invoice.number}" in letter
    assert "by post" in final.text and "by post" not in letter


def test_a_policy_without_interest_gives_no_notice_of_any(late_client):
    policy = policy_of(late_client.company, day(0))
    new_version(policy, effective_from=day(1), changes={"interest": "NONE"}, steps=None, on=day(0), by=CLERK)
    invoice_due(late_client, DUE)
    days_pass(late_client.company, day(21), day(33))
    second, reissued = sent_to(late_client)
    assert [a["name"] for a in reissued.attachments] == [
        f"letter-{reissued.on}.pdf", f"{Invoice.objects.get().number}.pdf"
    ]
    for mail in (second, reissued):
        assert "nterest" not in mail.text
    assert not InterestNotice.objects.exists()


def test_the_invoice_sent_again_names_the_first_day_of_interest_that_stands(late_client):
    """9 February was announced on 2 February; what is sent again on the 4th does not promise another day."""
    invoice_due(late_client, DUE)
    days_pass(late_client.company, day(31), day(32))
    (first,) = sent_to(late_client)
    again = send_again(first, on=first.on + 2 * DAY, now=first.not_before + 2 * DAY, by=CLERK)
    deliver(again.not_before)
    again.refresh_from_db()
    for mail in (first, again):
        assert "On what is still unpaid on 9 February 2026 interest is charged from that day" in mail.text
        assert "Please pay by 8 February 2026" in mail.text


def test_a_reissued_old_item_says_that_interest_runs_since_the_day_chosen_when_it_was_taken_over(late_client):
    chosen = taken_over(late_client, issued=day(-30), interest_from=day(10))
    fresh = taken_over(late_client, issued=day(-30), interest_from=None)
    for item in (chosen, fresh):
        Served.objects.create(invoice=item, step="reminder_2", channel="letter", on=day(22))
    days_pass(late_client.company, day(32), day(32))
    (mail,) = sent_to(late_client)
    assert f"For {chosen.number}: Interest is charged from 11 January 2026." in mail.text
    assert f"For {fresh.number}: On what is still unpaid on 9 February 2026 interest is charged" in mail.text


def taken_over(client, *, issued: dt.date, interest_from: dt.date | None, percent: str = "12") -> Invoice:
    """An item as an import leaves it: its own number, and a day from which it may bear interest."""
    intake = Intake.objects.create(
        company=client.company, source="old.csv", taken_by="import", interest_from=interest_from
    )
    invoice = Invoice.objects.create(
        company=client.company, client=client, currency="EUR", intake=intake, number=f"OLD-{intake.pk}",
        issued_on=issued, issued_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC), due_on=issued + dt.timedelta(days=30),
        terms_days=30, late_percent=Decimal(percent), net=Decimal(1000), total=Decimal(1000),
        frozen={"taken_over": True},
    )
    post_entry(
        NewEntry(
            key=f"invoice:{invoice.pk}:line:1", doc=f"invoice:{invoice.pk}", kind="issue", client=client, dr=RECEIVABLE,
            cr=REVENUE, amount=Decimal(1000), currency="EUR", effective_on=issued, invoice=invoice,
        ),
        "import",
    )
    invoice.refresh_from_db()
    return invoice


def test_items_taken_over_bear_interest_from_the_day_chosen_and_from_no_earlier_one(late_client):
    """Case 16: activation asks: from the chosen date, or, where none is chosen, only after our own notice."""
    chosen = taken_over(late_client, issued=dt.date(2025, 6, 1), interest_from=dt.date(2026, 2, 1))
    none = taken_over(late_client, issued=dt.date(2025, 6, 1), interest_from=None)
    apply_late_interest(late_client.company, dt.date(2026, 2, 28), by="system")
    charge = Charge.objects.get()
    assert charge.invoice == chosen and charge.from_on == dt.date(2026, 2, 1)
    assert charge.amount == Decimal("9.21")  # 28 days
    assert accrued(none, dt.date(2026, 12, 31)).interest.total == 0


def test_the_day_chosen_is_never_before_the_item_is_late(late_client):
    item = taken_over(late_client, issued=dt.date(2026, 1, 15), interest_from=dt.date(2026, 1, 1))
    assert accrued(item, dt.date(2026, 2, 15)).starts_on == dt.date(2026, 2, 15)


def test_old_items_enter_at_the_friendly_step_and_climb_one_step_a_week(late_client):
    company = late_client.company
    old = taken_over(late_client, issued=dt.date(2025, 6, 1), interest_from=None)
    young = taken_over(late_client, issued=dt.date(2026, 2, 20), interest_from=None)
    monday = dt.date(2026, 3, 2)
    days_pass(company, monday, monday + dt.timedelta(days=35))
    steps = list(Served.objects.filter(invoice=old).order_by("on").values_list("step", "on"))
    assert [step for step, _ in steps] == ["first_overdue", "reminder_1", "call_1", "reminder_2", "reissue", "call_2"]
    assert steps[0][1] == monday
    gaps = [(later[1] - earlier[1]).days for earlier, later in itertools.pairwise(steps)]
    assert all(gap >= 7 for gap in gaps) and gaps[0] == 7
    assert sent_to(late_client)[0].subject.startswith("Invoice"), "the first message anyone ever gets is a friendly one"
    assert Served.objects.filter(invoice=young).order_by("on").first().step == "pre_due"


def test_the_telephone_does_not_wait_for_old_items_nobody_can_be_written_to_about_and_letters_are_made_up_for(company):
    client = make_client(company, "C-0700", email=None)
    old = taken_over(client, issued=dt.date(2025, 6, 1), interest_from=None)
    monday = dt.date(2026, 3, 2)
    days_pass(company, monday, monday + dt.timedelta(days=8))
    assert served(old) == [("call_1", monday), ("call_2", monday + dt.timedelta(days=7))]
    assert Task.objects.filter(client=client, kind="contact", closed_on=None).exists()
    Contact.objects.create(client=client, name="Ira Bloom", email="ira@bloom.example")
    days_pass(company, monday + dt.timedelta(days=9), monday + dt.timedelta(days=22))
    assert [step for step, _on in served(old)[2:]] == ["first_overdue", "reminder_1"]


def test_what_comes_next_for_an_old_item_is_what_the_planner_will_do(late_client):
    """The client's file and the client's page ask the decision, and then count on."""
    company, monday = late_client.company, dt.date(2026, 3, 2)
    old = taken_over(late_client, issued=dt.date(2025, 6, 1), interest_from=None)
    Intake.objects.update(first_planned_on=monday)

    def told(on):
        upcoming, policy = next_step(late_client, on), policy_of(company, on)
        return upcoming.step.code, upcoming.on, next_reminder(old, policy, on)

    saturday = monday - 2 * DAY
    assert told(saturday) == ("first_overdue", monday, monday)
    assert told(monday) == ("first_overdue", monday, monday)
    Hold.objects.create(company=company, reason="import")
    noon = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
    plan(company, monday, by="system", now=noon)
    assert told(monday) == ("first_overdue", monday, monday), "it waits for a person"
    release_hold(Hold.objects.get(), by=CLERK)
    deliver(noon)
    foretold = []
    for on in days(monday, monday + 67 * DAY):
        upcoming = next_step(late_client, on + DAY)
        foretold.append((upcoming.step.code, upcoming.on))
        days_pass(company, on + DAY, on + DAY)
    happened = served(old)[1:]
    assert len(happened) == 8 and set(happened) <= set(foretold)
    assert all(step in happened for step in foretold if step[1] <= monday + 67 * DAY), "and nothing that did not come"
