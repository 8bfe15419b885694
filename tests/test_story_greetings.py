"""Acceptance: «know your clients». Greetings on their occasions: with consent, once a year, never in a quarrel.

«Occasion and holiday greetings (seeded templates, consent, one per occasion and year, a list of what goes out next,
never during a dispute, pause or final notice); the company's own profiles in its mail footer.»
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
import time_machine

from ar_collections.models import Greeting, StageChange
from ar_collections.services.greeting import greet_after_all, leave_out, plan_greetings
from ar_collections.services.greeting_choice import next_greetings
from ar_collections.services.pausing import end_pause, pause_chasing
from ar_collections.services.promising import promise_payment
from ar_collections.tasks import greet_clients
from clients.models import Contact, KeyDate
from clients.services import save_contact
from clients.services.status import set_status
from core.errors import Refused
from core.models import CompanyProfile
from disputes.services import close_dispute, open_dispute
from outbox.kinds import kind_of
from outbox.models import Message
from outbox.services import cancel, deliver
from policies.models import Occasion
from policies.occasions import seed_occasions
from tests.cast import CLERK, TODAY, invoice_due, make_client
from tests.collecting import a_day

pytestmark = pytest.mark.django_db

NEW_YEAR_MAIL = dt.date(2026, 12, 29)  # three days before, a Tuesday
DAY = dt.timedelta(days=1)


@pytest.fixture
def mara(company, late_client):
    """She agreed to be greeted, and her birthday is known."""
    seed_occasions(company, CLERK)
    return save_contact(
        late_client, late_client.contacts.get(), {"greetings_since": dt.date(2026, 3, 1)}, by=CLERK
    )


def noon(on):
    return dt.datetime.combine(on, dt.time(11), tzinfo=dt.UTC)


def greet(company, on):
    """What the ticks do by themselves on a date at noon; the mails that left on it."""
    plan_greetings(company, on, "test", now=noon(on))
    deliver(noon(on), clock=lambda: noon(on))
    return list(Message.objects.filter(kind="greeting", on=on, state="sent"))


def coming(company, on, days=60):
    return [(row.span.first, row.occasion.code, row.state) for row in next_greetings(company, on, days)]


def why(company, on):
    """The codes of the reasons against the next new-year greeting, as things stand on a day."""
    (row,) = [row for row in next_greetings(company, on) if row.occasion.code == "new_year"]
    return [reason.code for reason in row.reasons]


def test_a_year_of_greetings(company, late_client, mara):
    KeyDate.objects.create(client=late_client, contact=mara, kind="birthday", month=11, day=21)  # a Saturday
    KeyDate.objects.create(client=late_client, kind="together", month=12, day=8, year=2021)
    CompanyProfile.objects.create(company=company, label="LinkedIn", url="https://linkedin.example/lumen-oak")

    # What goes out next is a list, in order; nobody has seen the feasts that are not in use.
    assert coming(company, TODAY) == [
        (dt.date(2026, 11, 23), "birthday", "goes"),
        (dt.date(2026, 12, 8), "together", "goes"),
        (NEW_YEAR_MAIL, "new_year", "goes"),
    ]

    sent = [mail for ahead in range(60) for mail in greet(company, TODAY + ahead * DAY)]
    assert [(mail.on, mail.subject) for mail in sent] == [
        (dt.date(2026, 11, 23), "Happy birthday, Mara Winter"),
        (dt.date(2026, 12, 8), "Thank you for working with us"),
        (NEW_YEAR_MAIL, "All the best for the new year"),
    ]
    together, new_year = sent[1].text, sent[2].text
    assert "Harbour Lane Coffee and Lumen & Oak Studio began to work together" in together
    assert "It has been 5 years now." in together
    assert "everybody at Harbour Lane Coffee" in new_year
    assert "because you agreed to greetings from Lumen & Oak Studio" in new_year
    assert "LinkedIn: https://linkedin.example/lumen-oak" in new_year and "linkedin.example" in sent[2].html
    assert "bank details" not in new_year and "/i/" not in new_year
    assert coming(company, NEW_YEAR_MAIL, 10) == [(NEW_YEAR_MAIL, "new_year", "sent")]


def test_nobody_is_greeted_without_consent(company, late_client, mara):
    other = Contact.objects.create(client=late_client, name="Kim", email="kim@client.example")
    KeyDate.objects.create(client=late_client, contact=other, kind="birthday", month=12, day=1)
    KeyDate.objects.create(client=late_client, kind="birthday", month=12, day=2)
    silent = make_client(company, "C-9")
    KeyDate.objects.create(client=silent, kind="founded", month=12, day=3)
    rows = {row.span.falls_on.day: row for row in next_greetings(company, TODAY) if row.state == "stays"}
    assert {day: [reason.code for reason in row.reasons] for day, row in rows.items()} == {
        1: ["consent"], 2: ["person"], 3: ["nobody"]
    }
    assert all(str(reason).endswith(".") for row in rows.values() for reason in row.reasons)
    assert [greet(company, dt.date(2026, 12, day)) for day in (1, 2, 3)] == [[], [], []]


def test_consent_taken_back_stops_a_greeting_that_waits(company, late_client, mara):
    (waiting,) = plan_greetings(company, NEW_YEAR_MAIL, "test", now=noon(NEW_YEAR_MAIL))
    save_contact(late_client, mara, {"greetings_since": None}, by=CLERK)
    deliver(noon(NEW_YEAR_MAIL), clock=lambda: noon(NEW_YEAR_MAIL))
    waiting.refresh_from_db()
    assert waiting.state == "cancelled" and "does not want to be greeted" in waiting.reason
    assert not Greeting.objects.exists()


def test_never_during_a_dispute_a_pause_or_a_broken_promise(company, late_client, mara):
    invoice = invoice_due(late_client, TODAY + 90 * DAY)
    dispute = open_dispute(invoice, reason="price", text="too dear", on=TODAY, by="client")
    assert why(company, TODAY) == ["dispute"] and greet(company, NEW_YEAR_MAIL) == []
    close_dispute(dispute, outcome="settled", on=TODAY + DAY, by=CLERK)
    assert why(company, TODAY + DAY) == []

    pause = pause_chasing(late_client, reason="holidays", until=dt.date(2027, 1, 5), on=TODAY, by=CLERK)
    assert why(company, TODAY + DAY) == ["pause"] and greet(company, NEW_YEAR_MAIL) == []
    end_pause(pause, on=TODAY + 2 * DAY, by=CLERK)

    promise_payment(invoice, Decimal(1000), TODAY + 2 * DAY, on=TODAY, by=CLERK)
    assert why(company, TODAY + 2 * DAY) == []
    assert why(company, TODAY + 9 * DAY) == ["promise"] and greet(company, NEW_YEAR_MAIL) == []


def test_never_after_a_final_notice_nor_on_payment_in_advance(company, late_client, mara):
    StageChange.objects.create(
        client=late_client, stage_from="called", stage_to="final_notice", because="x", changed_on=TODAY, changed_by="x"
    )
    assert why(company, TODAY) == ["final"]
    StageChange.objects.create(
        client=late_client, stage_from="final_notice", stage_to="current", because="x", changed_on=TODAY + DAY,
        changed_by="x",
    )
    assert why(company, TODAY) == ["final"] and why(company, TODAY + DAY) == []
    for status, expected in (("cash_only", ["credit"]), ("closed", ["credit"]), ("watch", [])):
        set_status(late_client, status, because="x", source="policy", on=TODAY + DAY, by="system")
        assert why(company, TODAY + DAY) == expected


def test_a_dispute_that_opens_while_it_waits_keeps_it_back_and_it_goes_once_that_is_closed(company, late_client, mara):
    """Nothing has left, so the year is not used up."""
    plan_greetings(company, NEW_YEAR_MAIL, "test", now=noon(NEW_YEAR_MAIL))
    dispute = open_dispute(
        invoice_due(late_client, TODAY + 90 * DAY), reason="price", text="x", on=NEW_YEAR_MAIL, by="client"
    )
    assert greet(company, NEW_YEAR_MAIL) == []
    assert why(company, NEW_YEAR_MAIL) == ["dispute"]
    close_dispute(dispute, outcome="settled", on=NEW_YEAR_MAIL + DAY, by=CLERK)
    assert [mail.subject for mail in greet(company, NEW_YEAR_MAIL + DAY)] == ["All the best for the new year"]
    assert greet(company, NEW_YEAR_MAIL + 2 * DAY) == []


def test_no_greeting_on_the_day_of_a_reminder(company, late_client, mara):
    invoice_due(late_client, NEW_YEAR_MAIL - DAY)
    assert a_day(company, NEW_YEAR_MAIL, send=False).planned == 1
    assert greet(company, NEW_YEAR_MAIL) == []
    assert why(company, NEW_YEAR_MAIL) == ["message"]
    assert len(greet(company, NEW_YEAR_MAIL + DAY)) == 1  # the day after it is not too late


def test_a_feast_is_not_wished_after_it_and_a_birthday_not_before(company, late_client, mara):
    KeyDate.objects.create(client=late_client, contact=mara, kind="birthday", month=12, day=26)
    assert greet(company, dt.date(2026, 12, 23)) == []
    assert [mail.subject for mail in greet(company, dt.date(2026, 12, 28))] == ["Happy birthday, Mara Winter"]
    assert coming(company, dt.date(2027, 1, 2), 30) == []


def test_once_per_person_occasion_and_year_however_often_it_runs(company, mara):
    for _again in range(3):
        plan_greetings(company, NEW_YEAR_MAIL, "test", now=noon(NEW_YEAR_MAIL))
    assert Greeting.objects.count() == Message.objects.filter(kind="greeting").count() == 1
    assert len(greet(company, NEW_YEAR_MAIL)) == 1
    assert greet(company, NEW_YEAR_MAIL + DAY) == []
    assert Greeting.objects.get().year == 2027
    assert len(greet(company, dt.date(2027, 12, 29))) == 1


def test_nothing_is_planned_before_the_window_opens(company, mara):
    early = dt.datetime(2026, 12, 29, 6, tzinfo=dt.UTC)  # 7 in Berlin
    assert plan_greetings(company, NEW_YEAR_MAIL, "test", now=early) == []
    assert len(plan_greetings(company, NEW_YEAR_MAIL, "test", now=noon(NEW_YEAR_MAIL))) == 1


def test_one_is_left_out_for_a_reason_and_put_back(company, mara):
    occasion = Occasion.objects.get(code="new_year")
    with pytest.raises(Refused, match="Write why"):
        leave_out(mara, occasion, 2027, because=" ", on=TODAY, by=CLERK)
    for year in (0, 2028, 10**25):
        with pytest.raises(Refused, match="this year or the next"):
            leave_out(mara, occasion, year, because="He asked for quiet", on=TODAY, by=CLERK)
    left_out = leave_out(mara, occasion, 2027, because="He asked for quiet", on=TODAY, by=CLERK)
    (row,) = next_greetings(company, TODAY)
    assert row.state == "left_out" and row.greeting == left_out
    assert row.reasons[0].says == "Ada Kowalska left it out: He asked for quiet"
    assert greet(company, NEW_YEAR_MAIL) == []
    greet_after_all(left_out, by=CLERK)
    assert len(greet(company, NEW_YEAR_MAIL)) == 1
    with pytest.raises(Refused, match="has left already"):
        leave_out(mara, occasion, 2027, because="too late", on=NEW_YEAR_MAIL, by=CLERK)
    with pytest.raises(Refused, match="was not left out"):
        greet_after_all(Greeting.objects.get(), by=CLERK)


def test_what_a_person_takes_back_in_the_outbox_is_left_out_for_this_year(company, mara):
    (waiting,) = plan_greetings(company, NEW_YEAR_MAIL, "test", now=noon(NEW_YEAR_MAIL))
    cancel(waiting, by=CLERK, reason="Not this year.")
    assert coming(company, NEW_YEAR_MAIL, 5) == [(NEW_YEAR_MAIL, "new_year", "left_out")]
    assert greet(company, NEW_YEAR_MAIL + DAY) == []
    greet_after_all(Greeting.objects.get(), by=CLERK)
    assert len(greet(company, NEW_YEAR_MAIL + DAY)) == 1


def test_leaving_one_out_takes_back_the_mail_that_waits(company, mara):
    (waiting,) = plan_greetings(company, NEW_YEAR_MAIL, "test", now=noon(NEW_YEAR_MAIL))
    leave_out(mara, Occasion.objects.get(code="new_year"), 2027, because="No", on=NEW_YEAR_MAIL, by=CLERK)
    waiting.refresh_from_db()
    assert waiting.state == "cancelled" and greet(company, NEW_YEAR_MAIL) == []


def test_an_occasion_of_a_country_reaches_clients_there_only(company, mara):
    far = make_client(company, "US-1", name="Portland", country="US", time_zone="America/Los_Angeles")
    save_contact(far, far.contacts.get(), {"greetings_since": TODAY}, by=CLERK)
    rows = [row for row in next_greetings(company, TODAY) if row.occasion.code == "thanksgiving"]
    assert [(row.client, row.span.falls_on) for row in rows] == [(far, dt.date(2026, 11, 26))]


@pytest.mark.parametrize(
    ("language", "words"), [("de", "guten Start ins neue"), ("fr", "nous vous souhaitons, ainsi qu’à toute")]
)
def test_a_greeting_speaks_the_readers_language(company, late_client, mara, language, words):
    save_contact(late_client, mara, {"language": language}, by=CLERK)
    (waiting,) = plan_greetings(company, NEW_YEAR_MAIL, "test", now=noon(NEW_YEAR_MAIL))
    text = kind_of("greeting").compose(waiting, noon(NEW_YEAR_MAIL)).text
    assert words in text.lower() or words in text
    assert "You get" not in text and "Hello" not in text and "Kind regards" not in text


def test_the_list_asks_a_handful_of_questions_however_many_clients_there_are(
    company, mara, django_assert_max_num_queries
):
    for number in range(5):
        client = make_client(company, f"N-{number}")
        save_contact(client, client.contacts.get(), {"greetings_since": TODAY}, by=CLERK)
        KeyDate.objects.create(client=client, kind="together", month=12, day=1 + number)
    with django_assert_max_num_queries(12):
        rows = next_greetings(company, TODAY)
    assert len(rows) == 11


def test_the_tick_greets(company, mara):
    with time_machine.travel(noon(NEW_YEAR_MAIL), tick=False):
        greet_clients()
    assert Message.objects.get(kind="greeting").on == NEW_YEAR_MAIL
