"""Creditor references and QR texts: the published ones, and none that a bank would turn away."""

import json
from decimal import Decimal
from pathlib import Path

import pytest
import segno
from hypothesis import given
from hypothesis import strategies as st
from stdnum import iso11649

from core.references import epc_payload, is_rf_reference, rf_reference, spaced

PUBLISHED = Path(__file__).resolve().parents[3] / "shared" / "cases" / "worked_examples.json"
IBAN = "DE33100205000001194700"


@pytest.mark.parametrize("reference", ["RF18539007547034", "RF18 5390 0754 7034", "RF712348231", "RF6518K5"])
def test_published_references_are_valid(reference: str) -> None:
    assert is_rf_reference(reference)


@pytest.mark.parametrize("reference", ["RF214377", "RF17539007547034", "18539007547034RF", ""])
def test_published_false_references_are_not(reference: str) -> None:
    assert not is_rf_reference(reference)


@pytest.mark.parametrize(
    ("number", "reference"),
    [("539007547034", "RF18539007547034"), ("2348231", "RF712348231"), ("G72UUR", "RF45G72UUR"), ("18K5", "RF6518K5"),
     ("12345", "RF7812345")],
)
def test_a_reference_is_made_as_published(number: str, reference: str) -> None:
    assert rf_reference(number) == reference


@given(st.from_regex(r"[A-Za-z0-9/ -]{0,40}[A-Za-z0-9]", fullmatch=True))
def test_every_invoice_number_has_a_reference_a_bank_accepts(number: str) -> None:
    assert iso11649.is_valid(rf_reference(number))
    assert len(rf_reference(number)) <= 25


def test_a_very_long_number_keeps_its_end_where_the_sequence_stands() -> None:
    assert rf_reference("A-VERY-LONG-COMPANY-CODE-2026-0042").endswith("20260042")


def test_a_number_without_letters_or_digits_has_none() -> None:
    with pytest.raises(ValueError, match="no letter or digit"):
        rf_reference("—")


def test_a_reference_is_read_in_groups_of_four() -> None:
    assert spaced("RF6518K5") == "RF65 18K5"
    assert spaced("RF712348231") == "RF71 2348 231"


def test_the_published_qr_text_is_ours_but_for_the_character_set() -> None:
    """The example of Wikipedia (EPC-02) declares ISO 8859-1 (2); ours is UTF-8 (1)."""
    text = epc_payload(
        "Wikimedia Foerdergesellschaft", IBAN, "BFSWDE33BER", Decimal("123.45"), text="Spende fuer Wikipedia",
        purpose="CHAR",
    )
    assert text.split("\n") == [
        "BCD", "002", "1", "SCT", "BFSWDE33BER", "Wikimedia Foerdergesellschaft", "DE33100205000001194700", "EUR123.45",
        "CHAR", "", "Spende fuer Wikipedia",
    ]


def test_a_reference_stands_in_the_tenth_line_and_nothing_follows() -> None:
    text = epc_payload("Lantern Oak", "DE33 1002 0500 0001 1947 00", "", Decimal("5"), "RF18 5390 0754 7034")
    assert text.split("\n")[4:] == ["", "Lantern Oak", IBAN, "EUR5.00", "", "RF18539007547034"]


def test_the_longest_name_makes_a_code_no_larger_than_the_standard_allows() -> None:
    text = epc_payload("Ä" * 90, IBAN, "BFSWDE33BER", Decimal("999999999.99"), "RF6518K5")
    assert "\n" + "Ä" * 70 + "\n" in text
    assert segno.make(text, error="m", encoding="utf-8", micro=False, boost_error=False).version <= 13


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"iban": "DE33100205000001194701"}, "not a valid IBAN"),
        ({"iban": ""}, "not a valid IBAN"),
        ({"bic": "BFSWDE3"}, "not a valid BIC"),
        ({"reference": "RF17539007547034"}, "not a valid payment reference"),
        ({"reference": "RF6518K5", "text": "both"}, "not both"),
        ({"holder": " "}, "name of the account holder"),
        ({"holder": "Ä" * 70, "text": "ü" * 140}, "too long for a QR code"),
        ({"amount": Decimal("0")}, "0.01 to 999,999,999.99"),
        ({"amount": Decimal("1000000000")}, "0.01 to 999,999,999.99"),
        ({"amount": Decimal("1.005")}, "finer than EUR"),
    ],
)
def test_what_would_send_money_astray_is_refused(change: dict[str, object], says: str) -> None:
    given_ = {"holder": "Lantern Oak", "iban": IBAN, "bic": "", "amount": Decimal("1.00"), **change}
    with pytest.raises(ValueError, match=says):
        epc_payload(**given_)  # type: ignore[arg-type]


def test_a_name_cannot_bring_in_a_line_of_its_own() -> None:
    lines = epc_payload("Lantern\nDE00", IBAN, "", Decimal("1"), "RF6518K5").split("\n")
    assert lines[5] == "Lantern DE00"


@pytest.mark.skipif(not PUBLISHED.exists(), reason="the published answers are not part of the project")
def test_every_published_reference_and_qr_text_is_answered_as_published() -> None:
    cases = {case["id"]: case for case in json.loads(PUBLISHED.read_text())}
    valid = [case for name, case in cases.items() if name.startswith("RF-") and "reference" in case["inputs"]]
    assert len(valid) > 5
    for case in valid:
        assert is_rf_reference(case["inputs"]["reference"]) is case["published_answer"]["valid"], case["id"]
    made = [rf_reference(ref) for ref in cases["RF-gen"]["inputs"]["refs"]]
    assert made == cases["RF-gen"]["published_answer"]["values"]
    lines = cases["EPC-02"]["inputs"]["lines"]
    ours = epc_payload(
        lines[5], lines[6], lines[4], Decimal(lines[7].removeprefix("EUR")), text=lines[10], purpose=lines[8]
    ).split("\n")
    assert len(ours) == cases["EPC-02"]["published_answer"]["payload_fields"]
    assert [line for n, line in enumerate(ours) if n != 2] == [line for n, line in enumerate(lines) if n != 2]
    assert (ours[2], lines[2]) == ("1", "2")  # UTF-8 where the example has ISO 8859-1
