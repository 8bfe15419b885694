from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Refused
from policies.terms import due_date, due_words, refuse_vague, terms_words

DUE = date(2026, 12, 5)


@pytest.mark.parametrize(
    "text",
    ["Due on receipt", "due  upon receipt", "Payable upon invoice receipt", "ASAP", "A.S.A.P.", "immediately",
     "Immediate payment", "as soon as possible", "Please pay promptly", "due now", "Sofort fällig", "sofort",
     "zahlbar bei Erhalt", "umgehend", "Unverzüglich", "à réception", "A reception de facture", "immédiatement",
     "Paiement immédiat", "dès que possible", "ＡＳＡＰ"],
)
def test_terms_that_leave_the_day_open_are_refused_with_the_reason(text: str) -> None:
    with pytest.raises(Refused) as refused:
        refuse_vague(text)
    assert refused.value.code == "vague_terms"
    assert "does not say which day" in refused.value.message
    assert "Give a number of days" in refused.value.message


@pytest.mark.parametrize(
    "text", ["Net 30", "14 days", "30 Tage netto", "30 jours fin de mois", "", "Asapharm 14 days", "Sofia 30 days"]
)
def test_terms_in_days_pass(text: str) -> None:
    refuse_vague(text)


@pytest.mark.parametrize("days", [0, -3])
def test_terms_of_no_days_are_refused(days: int) -> None:
    with pytest.raises(Refused, match="at least one day"):
        due_date(DUE, days)


@pytest.mark.parametrize(
    ("on", "en", "de", "fr"),
    [
        (DUE - timedelta(14), "Due in 14 days — by 5 December 2026", "Fällig in 14 Tagen — bis zum 5. Dezember 2026",
         "À payer sous 14 jours — au plus tard le 5 décembre 2026"),
        (DUE - timedelta(1), "Due in 1 day — by 5 December 2026", "Fällig in 1 Tag — bis zum 5. Dezember 2026",
         "À payer sous 1 jour — au plus tard le 5 décembre 2026"),
        (DUE, "Due today — 5 December 2026", "Heute fällig — 5. Dezember 2026",
         "À payer aujourd’hui — 5 décembre 2026"),
        (DUE + timedelta(1), "1 day overdue — was due on 5 December 2026",
         "1 Tag überfällig — war fällig am 5. Dezember 2026", "1 jour de retard — échéance le 5 décembre 2026"),
        (DUE + timedelta(3), "3 days overdue — was due on 5 December 2026",
         "3 Tage überfällig — war fällig am 5. Dezember 2026",
         "3 jours de retard — échéance le 5 décembre 2026"),
    ],
)
def test_a_due_date_is_said_in_days_and_as_a_date_in_the_clients_language(on: date, en: str, de: str, fr: str) -> None:
    assert [due_words(DUE, on, language) for language in ("en", "de", "fr")] == [en, de, fr]


def test_paper_counts_from_the_day_of_issue() -> None:
    assert terms_words(date(2026, 11, 21), DUE, "en") == "14 days from 21 November — by 5 December 2026"
    assert terms_words(date(2026, 11, 21), DUE, "de") == "14 Tage ab dem 21. November — bis zum 5. Dezember 2026"
    assert terms_words(date(2026, 11, 21), DUE, "fr") == (
        "14 jours à compter du 21 novembre — au plus tard le 5 décembre 2026"
    )
    assert terms_words(DUE - timedelta(1), DUE, "en") == "1 day from 4 December — by 5 December 2026"


def test_an_item_taken_over_that_was_due_before_it_was_issued_shows_only_the_date() -> None:
    assert terms_words(DUE, DUE, "en") == "Due by 5 December 2026"
    assert terms_words(DUE + timedelta(9), DUE, "de") == "Fällig bis zum 5. Dezember 2026"


@given(issued=st.dates(date(2000, 1, 1), date(2100, 1, 1)), days=st.integers(1, 365))
def test_on_the_day_of_issue_the_words_count_the_days_of_the_terms(issued: date, days: int) -> None:
    expected = "Due in 1 day —" if days == 1 else f"Due in {days} days —"
    assert due_words(due_date(issued, days), issued, "en-GB").startswith(expected)
