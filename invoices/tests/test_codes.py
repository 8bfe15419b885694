"""The code that opens the statement: six digits, ten minutes, five tries, one mail a minute, nothing kept in clear."""

from __future__ import annotations

import datetime as dt

import pytest

from core.housekeeping import do_chores
from invoices.models import LinkCode
from invoices.services.codes import A_DAY, code_of, make_code, try_code
from invoices.services.linking import link_for_statement, link_for_wishes, link_passed_on
from outbox.kinds import kind_of
from outbox.models import Message
from tests.cast import make_invoice

AT = dt.datetime(2026, 11, 18, 12, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def link(late_client):
    return link_for_statement(late_client, late_client.contacts.get(), AT)


def wrong_for(code):
    return f"{(int(code_of(code)) + 1) % 10**6:06d}"


def test_the_right_digits_open_once(link):
    code = make_code(link, AT)
    assert len(code_of(code)) == 6 and code_of(code).isdigit()
    assert try_code(link, f" {code_of(code)[:3]}-{code_of(code)[3:]} ", AT + MINUTE)
    assert not try_code(link, code_of(code), AT + 2 * MINUTE), "a code is used once"


def test_after_ten_minutes_it_opens_nothing(link):
    code = make_code(link, AT)
    assert not try_code(link, code_of(code), AT + 10 * MINUTE)
    assert try_code(link, code_of(code), AT + 10 * MINUTE - dt.timedelta(seconds=1))


def test_codes_that_opened_their_last_long_ago_are_forgotten_and_a_mail_that_still_waits_does_not_leave(link):
    old, young = make_code(link, AT), make_code(link, AT + 40 * DAY)
    waits = Message(kind="link_code", payload={"code": old.pk})
    do_chores(AT + 41 * DAY)
    assert list(LinkCode.objects.all()) == [young]
    assert kind_of("link_code").may_go(waits, AT + 41 * DAY) == "the code opens nothing any more"


def test_after_five_wrong_tries_the_right_one_is_wrong_too(link):
    code = make_code(link, AT)
    assert not any(try_code(link, wrong_for(code), AT) for _ in range(5))
    assert not try_code(link, code_of(code), AT)
    code.refresh_from_db()
    assert code.tries == 5 and code.used_at is None


def test_what_is_not_six_digits_is_a_try_and_no_error(link):
    code = make_code(link, AT)
    for typed in ("", "abcdef", "١٢٣٤٥٦", "1" * 5000, "\x00", code_of(code) + "0"):
        assert not try_code(link, typed, AT)


def test_a_second_code_comes_after_a_minute_and_shuts_the_first(link):
    first = make_code(link, AT)
    assert make_code(link, AT + MINUTE - dt.timedelta(seconds=1)) is None
    second = make_code(link, AT + MINUTE)
    assert code_of(first) != code_of(second)
    assert not try_code(link, code_of(first), AT + MINUTE)
    assert try_code(link, code_of(second), AT + MINUTE)


def test_ten_codes_a_day_and_no_more(link):
    for n in range(A_DAY):
        assert make_code(link, AT + n * 2 * MINUTE)
    assert make_code(link, AT + 60 * MINUTE) is None
    assert make_code(link, AT + dt.timedelta(days=1, minutes=1))


def test_the_code_of_one_link_opens_no_other(link, good_client):
    other = link_for_statement(good_client, good_client.contacts.get(), AT)
    code = make_code(link, AT)
    make_code(other, AT)
    assert not try_code(other, code_of(code), AT)


def test_where_none_was_made_nothing_opens(link):
    assert not try_code(link, "000000", AT)
    assert not LinkCode.objects.exists()


def test_no_row_holds_the_digits(link):
    code = make_code(link, AT)
    kept = LinkCode.objects.filter(pk=code.pk).values().get()
    assert code_of(code) not in {str(value) for value in kept.values()}
    assert len(kept["code_hmac"]) == 64


def test_a_code_mailed_under_the_last_key_still_opens(link, settings):
    code = make_code(link, AT)
    digits = code_of(code)
    settings.LINK_KEY_FALLBACKS, settings.LINK_KEY = [settings.LINK_KEY], "another key of forty characters or more!!"
    assert code_of(code) != digits
    assert try_code(link, digits, AT)


def test_each_person_has_one_link_to_the_whole_and_each_colleague_one_to_the_invoice(late_client):
    contact, invoice = late_client.contacts.get(), make_invoice(late_client)
    for make in (link_for_statement, link_for_wishes):
        assert make(late_client, contact, AT).pk == make(late_client, contact, AT + MINUTE).pk
    first = link_passed_on(invoice, "jo@client.example", AT)
    assert first.pk == link_passed_on(invoice, "jo@client.example", AT).pk
    assert first.pk != link_passed_on(invoice, "max@client.example", AT).pk
    assert first.contact is None and first.passed_on_to == "jo@client.example"
