"""Each invariant is broken on purpose, once, with the guards taken off, and check_ledger names it and no other."""

import datetime as dt
import io
import json
from decimal import Decimal

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from ar_collections.models import Served
from arledger.invariants import NO_HOME_YET, TABLE, check
from core import guards
from core.fields import to_units
from core.invariants import Invariant
from core.services import store_file, stored_path
from imports.cells import Reading
from imports.services.open_items import Taking, import_open_items
from invoices.models import Charge, Entry, Invoice, Series
from invoices.services.charging import charge_fee, charge_interest, give_interest_notice, waive_charge
from invoices.services.issuing import void_invoice
from invoices.services.ledger import reverse_entries
from invoices.services.pro_forma import make_pro_forma
from outbox.models import Message
from payments.services import deallocate
from payments.services.refunds import refund_payment
from payments.tests.provided import offer_card, paid_by_card
from policies.models import Step
from policies.services import policy_of
from tests.cast import CLERK, TODAY, make_client, make_company, make_draft, make_invoice, make_manager, pay

pytestmark = pytest.mark.django_db

JAN, MAY = dt.date(2026, 1, 1), dt.date(2026, 5, 31)


DOCUMENT = b"%PDF-1.7 a document"


@pytest.fixture
def book(written):
    """A bit of everything: invoices with tax, part paid, void, a draft, charges, unapplied cash, a sent reminder."""
    store_file(DOCUMENT, "application/pdf")
    stored_path(written.pdf.sha256).write_bytes(DOCUMENT)  # what a test did to the file is undone by no rollback
    return Invoice.objects.get(pk=written.pk)


@pytest.fixture(scope="module")
def written(one_book):
    with one_book():
        invoice = write_book()
        if connection.vendor == "postgresql":
            connection.check_constraints()
    return invoice


def write_book():
    company = make_company()
    client, other = make_client(company), make_client(company, "C-0002", currency="USD")
    first = make_invoice(client, "1000", on=JAN, tax="19")
    make_invoice(client, "99.99", on=JAN + dt.timedelta(days=5), tax="7")
    void_invoice(make_invoice(other, "77", on=JAN), reason="wrong client", on=JAN, by=CLERK)
    make_invoice(other, "500", on=JAN)
    make_draft(client, "5")
    give_interest_notice(first, interest_from=dt.date(2026, 3, 10), on=dt.date(2026, 3, 3), by=CLERK)
    charge_interest(first, until=MAY, on=MAY, by=CLERK)
    freed = pay(other, "700", on=dt.date(2026, 2, 1))
    deallocate(freed.allocations.get(), on=dt.date(2026, 2, 5), by=CLERK)
    pay(client, "300", on=dt.date(2026, 6, 10))
    waive_charge(
        Charge.objects.order_by("pk").last(), reason="goodwill", on=dt.date(2026, 6, 11), by=make_manager("walter")
    )
    items = "n,c,i,d,t,b\n007,C-0009,2026-01-05,2026-02-04,50,20\n"
    words = {"number": "n", "client": "c", "issued_on": "i", "due_on": "d", "total": "t", "balance": "b"}
    import_open_items(items.encode(), Taking(Reading(words, "%Y-%m-%d", "EUR")), on=MAY, by=CLERK)
    message = reminder("1")
    Served.objects.create(invoice=first, step="first_overdue", channel="mail", on=message.on, message=message)
    Invoice.objects.filter(pk=first.pk).update(pdf=store_file(DOCUMENT, "application/pdf"))
    return Invoice.objects.select_related("pdf").get(pk=first.pk)


def reminder(key, **facts):
    invoice = Invoice.objects.issued().order_by("pk").first()
    now = timezone.now()
    return Message.objects.create(
        **{
            "key": f"notice:{invoice.client_id}:{key}:mail",
            "kind": "notice",
            "party": f"client:{invoice.client_id}",
            "on": dt.date(2026, 2, 3),
            "payload": {"items": [[invoice.pk, "first_overdue", 1]]},
            "message_id": f"<{key}@example>",
            "state": "sent",
            "not_before": now,
            "handing_at": now,
            "sent_at": now,
        }
        | facts
    )


def plant(statement, *params, table=None):
    """Change the books behind everybody's back, with the guards off and the database's own checks too."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # a table with checks to come cannot be altered
    if table:
        guards.remove(only=table)
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA ignore_check_constraints = ON")
        elif table:
            cursor.execute("SELECT conname FROM pg_constraint WHERE conrelid = %s::regclass AND contype = 'c'", [table])
            for (name,) in cursor.fetchall():
                cursor.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
        cursor.execute(statement, params)
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA ignore_check_constraints = OFF")
    if table:
        guards.install()


def codes(**how):
    return [violation["code"] for violation in check(timezone.now(), **how)["violations"]]


def entry(kind, **facts):
    return Entry.objects.filter(kind=kind, **facts).order_by("pk").first()


def write_entry(key, dr, cr, amount, *, like, kind="odd", **facts):
    """An entry of one's own making, straight into the table."""
    row = {
        "key": key,
        "doc": like.doc,
        "kind": kind,
        "company_id": like.company_id,
        "client_id": like.client_id,
        "invoice_id": like.invoice_id,
        "charge_id": None,
        "dr": dr,
        "cr": cr,
        "amount": amount,
        "currency": like.currency,
        "effective_on": like.effective_on,
        "posted_at": like.posted_at,
        "posted_by": "nobody",
        "memo": "",
        "reverses_id": None,
    } | facts
    columns, holes = ", ".join(row), ", ".join(["%s"] * len(row))
    plant(f"INSERT INTO invoices_entry ({columns}) VALUES ({holes})", *row.values(), table="invoices_entry")


def test_books_kept_by_the_verbs_are_clean(book):
    assert codes() == [] and codes(fast=True) == []
    assert Charge.objects.count() == 3 and Invoice.objects.count() == 6


def break_l1(book):
    plant("UPDATE invoices_entry SET currency = 'USD' WHERE id = %s", entry("issue").pk, table="invoices_entry")


def break_l2(book):
    plant("UPDATE invoices_entry SET dr = 'nowhere' WHERE id = %s", entry("payment").pk, table="invoices_entry")


def break_l3(book):
    plant("UPDATE invoices_invoice SET balance = balance - 10000 WHERE id = %s", book.pk, table="invoices_invoice")


def break_l4(book):
    pk = Charge.objects.order_by("pk").first().pk
    plant("UPDATE invoices_charge SET balance = balance - 100 WHERE id = %s", pk, table="invoices_charge")


def break_l4_derivation(book):
    charge = Charge.objects.order_by("pk").first()
    how = charge.derivation
    how["lines"][0]["rate"] = "13"
    plant(
        "UPDATE invoices_charge SET derivation = %s WHERE id = %s", json.dumps(how), charge.pk, table="invoices_charge"
    )


def break_l5(book):
    plant(
        "UPDATE invoices_invoiceline SET net = net + 100 WHERE invoice_id = %s", book.pk, table="invoices_invoiceline"
    )


def break_l5_entries(book):
    """A cent moves from one issue to another: every balance follows, only the totals do not."""
    taxed = entry("issue", invoice=book, cr="tax")
    plant("UPDATE invoices_entry SET amount = amount - 100 WHERE id = %s", taxed.pk, table="invoices_entry")
    plant("UPDATE invoices_invoice SET balance = balance - 100 WHERE id = %s", book.pk, table="invoices_invoice")


def break_l6(book):
    """Far more is credited than was owed, on a day after everything else, and the cache follows."""
    odd = Invoice.objects.get(intake__isnull=False)
    plant("UPDATE invoices_invoice SET total = 100000 WHERE id = %s", odd.pk, table="invoices_invoice")


def break_l7(book):
    draft = Invoice.objects.drafts().get()
    plant("UPDATE invoices_invoice SET seq = 99 WHERE id = %s", draft.pk)


def break_l7_void(book):
    plant("UPDATE invoices_invoice SET voided_at = %s WHERE id = %s", timezone.now(), Invoice.objects.open().last().pk)


def break_l8(book):
    Series.objects.update(last=9)


def break_l8_order(book):
    plant(
        "UPDATE invoices_invoice SET issued_at = %s WHERE seq = 4",
        dt.datetime(2020, 1, 1, tzinfo=dt.UTC),
        table="invoices_invoice",
    )


def break_l9(book):
    paid = entry("payment")
    plant("UPDATE invoices_entry SET key = 'magic:1' WHERE id = %s", paid.pk, table="invoices_entry")


def fee_on(book):
    step = Step(code="reminder_1", title="First reminder", fee={"EUR": "5"}, policy=policy_of(book.company, MAY))
    return charge_fee(book, step, on=MAY, by="system")


def break_l4_fee(book):
    """A fee of 5 that says it is one of 4."""
    how = json.dumps(fee_on(book).derivation | {"amount": "4.00"})
    plant("UPDATE invoices_charge SET derivation = %s WHERE kind = 'fee'", how, table="invoices_charge")


def break_l9_fee(book):
    """A fee that was booked as interest."""
    posted = fee_on(book).entries.get()
    plant("UPDATE invoices_entry SET cr = 'interest' WHERE id = %s", posted.pk, table="invoices_entry")


def break_l10(book):
    """An allocation says more than its entry moved."""
    plant(
        "UPDATE payments_allocation SET amount = amount + 100 WHERE id = (SELECT MAX(id) FROM payments_allocation)",
        table="payments_allocation",
    )


def break_l10_order(book):
    """Money was put to an invoice before there was one."""
    early = entry("allocation", invoice__intake__isnull=False)
    plant("UPDATE invoices_entry SET effective_on = '2025-12-31' WHERE id = %s", early.pk, table="invoices_entry")


def break_l11(book):
    """Interest is taken back, and the taking back is taken back."""
    invoice = make_invoice(book.client, "9000", on=JAN)
    give_interest_notice(invoice, interest_from=dt.date(2026, 3, 1), on=dt.date(2026, 2, 22), by=CLERK)
    (charge,) = charge_interest(invoice, until=dt.date(2026, 3, 31), on=dt.date(2026, 3, 31), by=CLERK)
    posted = charge.entries.get()
    (mirror,) = reverse_entries([posted], CLERK, dt.date(2026, 4, 1), "wrong")
    key, units = f"reversal:{mirror.key}", to_units(posted.amount)
    write_entry(key, posted.dr, posted.cr, units, like=mirror, charge_id=charge.pk, reverses_id=mirror.pk)
    plant("UPDATE invoices_charge SET balance = amount WHERE id = %s", charge.pk, table="invoices_charge")


def break_l12(book):
    second = Charge.objects.order_by("pk")[1]
    plant("UPDATE invoices_charge SET from_on = '2026-03-15' WHERE id = %s", second.pk, table="invoices_charge")


def break_l14(book):
    guards.remove(only="invoices_entry")


def break_l14_hollow(book):
    """The guard is there by name and lets everything pass."""
    name = "guard_invoices_entry_append_only_update"
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(f'DROP TRIGGER "{name}"')
            cursor.execute(f'CREATE TRIGGER "{name}" BEFORE UPDATE ON invoices_entry BEGIN SELECT 1; END')
        else:
            cursor.execute("CREATE FUNCTION harmless() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$")
            cursor.execute(f'DROP TRIGGER "{name}" ON invoices_entry')
            cursor.execute(
                f'CREATE TRIGGER "{name}" BEFORE UPDATE ON invoices_entry FOR EACH ROW EXECUTE FUNCTION harmless()'
            )


def break_l16(book):
    """Claimed an hour ago, and nobody came back."""
    late = timezone.now() - dt.timedelta(hours=1)
    reminder("2", state="claimed", lease_token="00000000-0000-0000-0000-000000000001", lease_until=late, payload={})


def break_l16_twice(book):
    reminder("3")


def refunded_by_card(book):
    """An invoice of another client paid by card, some of it given back."""
    offer_card(book.company)
    client = make_client(book.company, "C-0003")
    checkout = paid_by_card(client, make_invoice(client, "100"))
    refund = refund_payment(checkout.payment, Decimal(30), reason="x", key="r1", on=TODAY, by=make_manager())
    assert codes() == []
    return checkout, refund


def break_l10_refund(book):
    _checkout, refund = refunded_by_card(book)
    plant("UPDATE payments_refund SET state = 'failed' WHERE id = %s", refund.pk)


def break_l13(book):
    """Money leaves the provider for a payment that never came by it."""
    refunded_by_card(book)
    paid = entry("payment", dr="bank")
    write_entry("payout:sandbox:x:net", "bank", "clearing:sandbox", to_units(Decimal(10)), like=paid, kind="payout")


def break_l13_checkout(book):
    checkout, _refund = refunded_by_card(book)
    plant("UPDATE payments_checkout SET state = 'failed' WHERE id = %s", checkout.pk)


def break_l16_paid(book):
    """Reminded of an invoice on a day on which it had not been issued."""
    plant("UPDATE outbox_message SET \"on\" = '2025-12-31'", table="outbox_message")


def break_l17(book):
    plant("DELETE FROM audit_event WHERE doc LIKE 'payment:%%' ", table="audit_event")


def break_l18(book):
    book.refresh_from_db()
    stored_path(book.pdf.sha256).write_bytes(b"%PDF-1.7 another one!")


def break_l18_gone(book):
    book.refresh_from_db()
    stored_path(book.pdf.sha256).unlink()


BREAKS = [each for name, each in list(globals().items()) if name.startswith("break_l")]


@pytest.mark.parametrize("planted", BREAKS, ids=lambda planted: planted.__name__)
def test_what_is_broken_is_named_and_nothing_else(book, planted):
    planted(book)
    expected = planted.__name__.split("_")[1].upper()
    assert codes() == [expected]


def test_every_code_is_broken_by_some_test_or_has_no_home_yet():
    broken = {each.__name__.split("_")[1].upper() for each in BREAKS}
    assert broken == {invariant.code for invariant in TABLE}
    assert broken | set(NO_HOME_YET) == {f"L{n}" for n in range(1, 19)}


def test_the_quick_questions_are_those_that_may_be_asked_every_ten_minutes():
    assert {i.code for i in TABLE if i.fast} == {"L1", "L2", "L3", "L4", "L6", "L8", "L14", "L16"}


def test_a_pro_forma_has_its_place_in_a_series_of_its_own(book):
    made = make_pro_forma(make_draft(book.client, "9"), MAY, on=MAY, by=CLERK)
    assert codes() == []
    plant("UPDATE invoices_proforma SET seq = 2 WHERE id = %s", made.pk, table="invoices_proforma")
    assert codes() == ["L8"]


def ask(*arguments):
    out = io.StringIO()
    code = 0
    try:
        call_command("check_ledger", *arguments, "--json", stdout=out, stderr=io.StringIO())
    except SystemExit as stopped:
        code = stopped.code
    return json.loads(out.getvalue()), code


def test_the_command_ends_with_0_on_clean_books_and_with_1_and_the_ids_otherwise(book):
    answer, code = ask()
    assert (code, answer["violations"]) == (0, []) and set(answer["not_applicable"]) == {"L15"}
    break_l3(book)
    answer, code = ask("--fast")
    assert (code, answer["violations"]) == (1, [{"code": "L3", "count": 1, "ids": [book.pk]}])


def test_books_that_cannot_be_read_end_with_2(monkeypatch):
    from django.core.management.base import CommandError
    from django.db import OperationalError

    from arledger import invariants

    def cannot(now):
        raise OperationalError("disk I/O error")

    monkeypatch.setattr(
        invariants.check, "__kwdefaults__", {**invariants.check.__kwdefaults__, "table": [Invariant("L3", "", cannot)]}
    )
    with pytest.raises(CommandError, match="disk I/O error") as failed:
        call_command("check_ledger", stderr=io.StringIO())
    assert failed.value.returncode == 2


def test_the_books_are_checked_by_themselves_and_what_is_found_is_kept(book):
    from core.housekeeping import do_chores
    from core.models import Tick

    break_l3(book)
    do_chores(timezone.now())
    for name in ("check ledger, fast", "check ledger"):
        found = Tick.objects.get(name=f"housekeeping:{name}").result
        assert [violation["code"] for violation in found["violations"]] == ["L3"]
