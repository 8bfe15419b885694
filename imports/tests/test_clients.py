"""import_clients: added or brought up to date; a second time changes nothing."""

from decimal import Decimal

import pytest

from clients.models import Client, Contact
from clients.services.limits import limit_of
from clients.services.status import set_status
from imports.cells import Reading
from imports.services.answers import FileRefused
from imports.services.clients import Enrolment, as_json, import_clients
from policies.models import Terms
from tests.cast import TODAY, make_client, make_company, make_manager

pytestmark = pytest.mark.django_db

HEAD = ["client", "name", "contact_name", "email", "language", "time_zone", "terms_days", "credit_limit", "role"]
COLUMNS = {name: name for name in HEAD}


def enrol(*rows, **how):
    content = "\n".join([",".join(HEAD), *(",".join(r.get(name, "") for name in HEAD) for r in rows)]).encode()
    return import_clients(content, Enrolment(Reading(COLUMNS), **how), on=TODAY, by="Ada")


@pytest.fixture
def company():
    return make_company()


ACME = {
    "client": "007",
    "name": "Acme",
    "contact_name": "Mara",
    "email": "ap@acme.example",
    "language": "de",
    "time_zone": "Europe/Vienna",
    "terms_days": "45",
    "credit_limit": "5000",
}


def test_a_client_is_added_with_its_contact_and_terms_of_its_own_days(company):
    answer = enrol(ACME)
    client = Client.objects.get()
    assert (client.number, client.name, client.language, client.time_zone) == ("007", "Acme", "de", "Europe/Vienna")
    assert [(x.amount, x.currency, x.source) for x in client.credit_limits.all()] == [(Decimal(5000), "EUR", "import")]
    assert client.terms == Terms.objects.get(net_days=45) and client.terms.late_percent == 12
    assert client.contacts.get().email == "ap@acme.example"
    assert (answer.counts["created"], answer.counts["contacts_created"]) == (1, 1)
    assert as_json(answer)["clients_without_contact"] == 0


def test_a_list_sets_limits_only_for_who_may(company, clerk):
    def enter(by, **changes):
        row = ACME | changes
        content = "\n".join([",".join(HEAD), ",".join(row.get(name, "") for name in HEAD)]).encode()
        return import_clients(content, Enrolment(Reading(COLUMNS)), on=TODAY, by=by)

    with pytest.raises(FileRefused) as refused:
        enter(clerk)
    (error,) = refused.value.answer.errors
    assert error.column == "credit_limit" and "You may not set credit limits" in error.message
    assert not Client.objects.exists()
    enter(clerk, credit_limit="")
    starting = Client.objects.get().credit_limits.get()
    assert starting.source == "policy"
    with pytest.raises(FileRefused):
        enter(clerk, credit_limit="90000")
    enter(clerk, credit_limit=f"{starting.amount:.2f}")  # what holds already is no setting
    enter(make_manager(), credit_limit="6000")
    assert limit_of(Client.objects.get(), "EUR", TODAY).amount == 6000


def test_a_list_gives_nobody_credit_who_has_none_under_another_number(company):
    """Neither as a new client nor by a number changed; the row is named, and nothing is saved."""
    barred = make_client(company, "C-0009", name="Vantage", tax_number="DE136695976", country="DE")
    set_status(barred, "closed", because="insolvency", source="policy", on=TODAY, by="system")
    make_client(company, "C-0010", country="DE")
    for number in ("007", "C-0010"):
        content = f"client,country,vat_id\nC-0011,DE,\n{number},DE,DE 136 695 976\n".encode()
        how = Enrolment(Reading({name: name for name in ("client", "country", "vat_id")}))
        with pytest.raises(FileRefused) as refused:
            import_clients(content, how, on=TODAY, by="system")
        (error,) = refused.value.answer.errors
        assert (error.line, error.column) == (3, "tax_number") and "Vantage (C-0009) has the same" in error.message
    assert not Client.objects.filter(number__in=["007", "C-0011"]).exists()


def test_a_client_without_a_limit_in_a_currency_the_policy_does_not_name_gets_nothing_on_credit(company):
    how = Enrolment(Reading({"client": "client", "currency": "currency"}))
    import_clients(b"client,currency\n007,NOK\n", how, on=TODAY, by="Ada")
    limit = Client.objects.get().credit_limits.get()
    assert (limit.amount, limit.currency, limit.source) == (0, "NOK", "policy")


def test_a_second_import_changes_nothing(company):
    enrol(ACME, {"client": "008"})
    before = list(Client.objects.values()), list(Contact.objects.values()), list(Terms.objects.values())
    answer = enrol(ACME, {"client": "008"})
    assert (answer.counts["unchanged"], answer.counts["updated"], answer.counts["created"]) == (2, 0, 0)
    assert before == (list(Client.objects.values()), list(Contact.objects.values()), list(Terms.objects.values()))


def test_what_the_file_says_is_brought_up_to_date_and_what_it_leaves_empty_stays(company):
    client = make_client(company, "007", name="Old name", email="ap@acme.example", city="Hamburg")
    answer = enrol({"client": "007", "name": "Acme", "email": "AP@acme.example", "contact_name": "Mara Lee"})
    client.refresh_from_db()
    assert (client.name, client.city, client.language) == ("Acme", "Hamburg", "en")
    assert client.contacts.get().name == "Mara Lee"
    assert (answer.counts["updated"], answer.counts["contacts_updated"]) == (1, 1)


def test_a_client_with_two_rows_has_two_contacts_and_one_without_is_on_the_list(company):
    answer = enrol(
        ACME, {"client": "007", "contact_name": "Jon", "email": "jon@acme.example", "role": "owner"}, {"client": "8"}
    )
    assert Client.objects.get(number="007").contacts.count() == 2
    assert list(Client.objects.without_contact().values_list("number", flat=True)) == ["8"]
    assert as_json(answer)["clients_without_contact"] == 1


def test_one_bad_row_refuses_the_list_and_saves_nothing(company):
    with pytest.raises(FileRefused) as refused:
        enrol(ACME, {"client": "8", "terms_days": "due on receipt"}, {"client": "9", "language": "es"})
    assert [error.line for error in refused.value.answer.errors] == [3, 4]
    assert "number of days" in refused.value.answer.errors[0].message
    assert not Client.objects.exists()
    answer = enrol(ACME, {"client": "8", "language": "es"}, skip_bad=True)
    assert (answer.counts["created"], len(answer.refused_lines)) == (1, 1)


def test_a_dry_run_saves_nothing(company):
    assert enrol(ACME, dry_run=True).counts["created"] == 1
    assert not Client.objects.exists() and not Terms.objects.filter(net_days=45).exists()
