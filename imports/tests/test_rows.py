"""Reading somebody else's CSV: what is taken as it stands, and what is refused with line, column and value."""

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Refused
from imports.cells import Reading
from imports.rows import ITEM_NEEDED, ITEM_OPTIONAL, read_clients, read_open_items
from imports.sheet import clean, locate, read_sheet
from imports.suggestions import suggest_date_formats, suggest_mapping

WORDS = {"number": "no", "client": "client", "issued_on": "issued", "due_on": "due", "total": "total"}
HEAD = "no,client,issued,due,total"


def read(*rows, head=HEAD, fmt="%Y-%m-%d", currency="EUR", more=None, **how):
    text = "\n".join([head, *rows]) + "\n"
    mapping = WORDS | (more or {})
    return read_open_items(read_sheet(text.encode()), Reading(mapping, fmt, currency, **how))


def one_error(answer):
    (error,) = answer.errors
    return error


# ── The file ────────────────────────────────────────────────────────────


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_encoding_and_separator_are_told_from_the_file(encoding, separator):
    rows = ["Nr", "Größe", "Ort"], ["0012", "Müller & Söhne", "Köln"]
    content = "\r\n".join(separator.join(row) for row in rows).encode(encoding)
    sheet = read_sheet(content)
    assert sheet.header == ("Nr", "Größe", "Ort")
    assert sheet.rows[0].cells == ("0012", "Müller & Söhne", "Köln")
    assert bool(sheet.warnings) == (encoding == "cp1252")


def test_a_semicolon_file_with_decimal_commas_is_split_at_semicolons():
    sheet = read_sheet(b"Nr;Betrag\n1;12,50\n2;7,00\n")
    assert sheet.separator == ";" and sheet.rows[1].cells == ("2", "7,00")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"PK\x03\x04rest", "Save it as CSV"),
        (b"%PDF-1.7", "PDF"),
        (b"", "empty"),
        (b" \n\n", "empty"),
        (b"\x1f\x8b\x08", "compressed"),
        (b'no,name\n1,"open\n', "Line 2"),
        (b'a,b\n1,"x"y\n', "Line 2"),
        (b"no,na\x81me\n", "neither UTF-8 nor"),
    ],
)
def test_what_is_no_csv_file_is_refused_with_what_to_do(content, says):
    with pytest.raises(Refused, match=says):
        read_sheet(content)


def test_a_row_keeps_the_line_on_which_it_begins():
    sheet = read_sheet(b'no,name\n1,"two\nlines"\n\n2,x\n')
    assert [row.line for row in sheet.rows] == [2, 5]


def test_repeated_and_unnamed_headings_are_warned_of_and_refused_where_they_are_mapped():
    sheet = read_sheet(b",date,date,total\n1,2,3,4\n")
    assert any("#1" in warning for warning in sheet.warnings)
    assert any("«date»" in warning for warning in sheet.warnings)
    with pytest.raises(Refused, match="#2, #3"):
        locate(sheet, {"due_on": "date"})
    assert locate(sheet, {"due_on": "#3", "total": "TOTAL"}) == {"due_on": 2, "total": 3}


def test_a_misspelt_heading_is_refused_with_the_nearest_one():
    with pytest.raises(Refused, match="Did you mean «InvoiceNumber»"):
        locate(read_sheet(b"InvoiceNumber,x\n1,2\n"), {"number": "InvocieNumber"})


def test_control_characters_and_turned_writing_are_taken_out():
    assert clean("Ac\x00me\u202e\r\nInc\x07 ") == "Acme Inc"


# ── The mapping ─────────────────────────────────────────────────────────


def test_a_mapping_that_lacks_what_is_needed_or_uses_unknown_words_is_refused():
    sheet = read_sheet(f"{HEAD}\n".encode())
    with pytest.raises(Refused, match="«due_on»"):
        read_open_items(sheet, Reading({k: v for k, v in WORDS.items() if k != "due_on"}, "%Y-%m-%d", "EUR"))
    with pytest.raises(Refused, match="«colour» cannot be mapped"):
        read_open_items(sheet, Reading(WORDS | {"colour": "no"}, "%Y-%m-%d", "EUR"))


# ── Identifiers ─────────────────────────────────────────────────────────


def test_identifiers_stay_as_they_are():
    answer = read("0000611365,0140105686,2013-01-02,2013-02-01,55.94", "2960623488.0,CCU002,2013-01-02,2013-02-01,1")
    assert [(i.number, i.client) for i in answer.good] == [("0000611365", "0140105686"), ("2960623488.0", "CCU002")]


@pytest.mark.parametrize("number", ["", "x" * 81])
def test_an_empty_or_endless_number_is_refused(number):
    error = one_error(read(f"{number},C1,2013-01-02,2013-02-01,55.94"))
    assert (error.line, error.column) == (2, "no")


# ── Dates ───────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("fmt", "written"),
    [
        ("%m/%d/%Y", "1/2/2013"),
        ("%d-%b-%y", "02-Jan-13"),
        ("%d-%m-%Y %H:%M", "02-01-2013 11:50"),
        ("%Y-%m-%d 00:00:00.000000000", "2013-01-02 00:00:00.000000000"),
        ("%Y%m%d.0", "20130102.0"),
        ("%Y%m%d", "20130102"),
    ],
)
def test_dates_are_read_by_the_format_given(fmt, written):
    (item,) = read(f"1,C1,{written},{written},5", fmt=fmt).good
    assert item.issued_on == dt.date(2013, 1, 2)


@pytest.mark.parametrize(
    "written", ["00:00.0", "2013-13-01", "2013-01-02 ", "２０１３-01-02", "2013-01-021", "1/2/2013"]
)
def test_what_the_format_does_not_match_as_a_whole_is_refused(written):
    answer = read(f"1,C1,{written},2013-02-01,5")
    if written.strip() == "2013-01-02":
        assert answer.good  # white space around a cell is none of its content
    else:
        assert one_error(answer).column == "issued" and not answer.good


def test_a_column_that_mixes_formats_is_named_with_counts_examples_and_a_guess_for_the_person():
    answer = read(
        "1,C1,2013-01-02,26-04-2013,5",
        "2,C1,2013-01-02,04/27/2013,5",
        "3,C1,2013-01-02,28-04-2013,5",
        fmt="%d-%m-%Y",
        more={"issued_on": "due"},
    )
    (said, _) = answer.mixed
    assert "1 of 3 values" in said and "«04/27/2013» (line 3)" in said and "%m/%d/%Y" in said
    assert not answer.ambiguous


def test_a_column_in_which_day_and_month_change_places_can_never_be_trusted():
    answer = read("1,C1,01/02/2013,03/04/2013,5", "2,C1,26/04/2013,05/06/2013,5", fmt="%m/%d/%Y")
    assert answer.ambiguous and "none of its dates can be trusted" in answer.mixed[0]


@pytest.mark.parametrize("fmt", ["", "%d/%m", "dd.mm.yyyy", "%Q", "%d.%m.%Y %d"])
def test_a_format_that_gives_no_date_is_refused(fmt):
    with pytest.raises(Refused) as refused:
        read("1,C1,2013-01-02,2013-02-01,5", fmt=fmt)
    assert refused.value.where == "date_format"


# ── Amounts ─────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "written",
    ["", "abc", "1e5", "NaN", "Infinity", "1_000", "١٢", "12,50", "0", "-5", "1.234", "$5", "9" * 16, "=1+1", "1,23.4"],
)
def test_what_is_no_amount_above_zero_is_refused(written):
    answer = read(f'1,C1,2013-01-02,2013-02-01,"{written}"')
    assert not answer.good and {e.column for e in answer.errors} == {"total"}


def test_amounts_finer_than_the_currency_are_refused_unless_rounded_half_up():
    row = "1,C1,2013-01-02,2013-02-01,2309.785"
    assert "more decimals" in one_error(read(row)).message
    assert read(row, round_half_up=True).good[0].total == Decimal("2309.79")
    assert read("1,C1,2013-01-02,2013-02-01,1199.5", currency="JPY", round_half_up=True).good[0].total == 1200


def test_a_decimal_comma_is_read_where_it_is_said():
    assert read('1,C1,2013-01-02,2013-02-01,"1.234,50"', decimal=",").good[0].total == Decimal("1234.50")


@given(st.text(max_size=30))
def test_no_text_whatever_breaks_the_reader(text):
    cell = '"' + text.replace('"', '""') + '"'
    answer = read(f"{cell},{cell},{cell},{cell},{cell}")
    assert len(answer.good) + len({e.line for e in answer.errors}) <= 2
    for item in answer.good:
        assert item.total > 0 and item.number == clean(text)


# ── What was paid, and other facts ──────────────────────────────────────

PAID = {
    "head": HEAD + ",open,paid,disputed,cur",
    "more": {"balance": "open", "settled_on": "paid", "disputed": "disputed", "currency": "cur"},
}


def test_a_day_of_settlement_wins_over_a_balance():
    (item,) = read("1,C1,2013-01-02,2013-02-01,100,40,2013-02-05,No,USD", **PAID).good
    assert (item.paid, item.paid_on, item.currency, item.disputed) == (100, dt.date(2013, 2, 5), "USD", False)


def test_a_balance_means_that_the_difference_was_paid():
    (item,) = read("1,C1,2013-01-02,2013-02-01,100,40,,yes,usd", **PAID).good
    assert (item.paid, item.paid_on, item.currency, item.disputed) == (60, dt.date(2013, 1, 2), "USD", True)


@pytest.mark.parametrize(
    ("row", "column"),
    [
        ("1,C1,2013-01-02,2013-02-01,100,100.01,,,USD", "open"),
        ("1,C1,2013-01-02,2013-02-01,100,-1,,,USD", "open"),
        ("1,C1,2013-01-02,2013-02-01,100,,5.2.2013,,USD", "paid"),
        ("1,C1,2013-01-02,2013-02-01,100,,,maybe,USD", "disputed"),
        ("1,C1,2013-01-02,2013-02-01,100,,,,EURO", "cur"),
        ("1,C1,2013-01-02,2031-02-01,100,,,,EUR", "due"),
    ],
)
def test_each_wrong_cell_is_named_by_its_column(row, column):
    answer = read(row, **PAID)
    assert not answer.good and {error.column for error in answer.errors} == {column}


def test_due_before_issue_and_paid_before_issue_are_taken_with_a_warning():
    answer = read("1,C1,2013-02-02,2013-02-01,100,,2013-01-05,,USD", **PAID)
    assert len(answer.good) == 1 and {w.column for w in answer.warnings} == {"due", "paid"}


def test_a_row_said_twice_is_taken_once_and_a_contradiction_is_refused():
    row = "1,C1,2013-01-02,2013-02-01,100"
    again = read(row, row)
    assert (len(again.good), again.repeated, again.errors) == (1, 1, ())
    assert "line 2" in one_error(read(row, row.replace("100", "101"))).message
    other_client = read(row, row.replace("C1", "C2"))
    assert len(other_client.good) == 2


@pytest.mark.parametrize("row", ["1,C1,2013-01-02,2013-02-01", "1,C1,2013-01-02,2013-02-01,1,250.00"])
def test_a_row_with_too_few_or_too_many_cells_is_refused_and_not_guessed_at(row):
    error = one_error(read(row))
    assert error.line == 2 and "cells" in error.message


@pytest.mark.parametrize(
    "email",
    [
        "a@b",
        "a@[127.0.0.1]",
        "a@x.example,b@x.example",
        "A <a@x.example>",
        "a b@x.example",
        "a@x.example\nBcc: c@x.example",
    ],
)
def test_an_address_is_one_address(email):
    cell = '"' + email.replace('"', '""') + '"'
    answer = read(f"1,C1,2013-01-02,2013-02-01,5,{cell}", head=HEAD + ",mail", more={"email": "mail"})
    assert one_error(answer).column == "mail"


# ── Clients ─────────────────────────────────────────────────────────────

CLIENTS = {
    "client": "id",
    "name": "name",
    "contact_name": "who",
    "role": "role",
    "email": "mail",
    "phone": "tel",
    "language": "lang",
    "time_zone": "tz",
    "country": "land",
    "terms_days": "days",
    "credit_limit": "limit",
    "currency": "cur",
    "vat_id": "vat",
}


def clients(*rows):
    text = "\n".join([",".join(CLIENTS.values()), *rows])
    return read_clients(sheet=read_sheet(text.encode()), reading=Reading(CLIENTS, currency="EUR"))


def test_a_client_with_a_contact_is_read_and_empty_cells_say_nothing():
    full = "007,Acme,Mara,owner,ap@acme.example,+49 40 55,DE,europe/berlin,de,30,5000,eur,DE136695976"
    answer = clients(full, "008" + "," * 12)
    first, second = answer.good
    assert first.facts == {
        "name": "Acme",
        "language": "de",
        "time_zone": "Europe/Berlin",
        "country": "DE",
        "terms_days": 30,
        "credit_limit": Decimal(5000),
        "currency": "EUR",
        "tax_number": "DE136695976",
    }
    assert first.contact == {"name": "Mara", "role": "owner", "email": "ap@acme.example", "phone": "+49 40 55"}
    assert (second.facts, second.contact) == ({}, {})


@pytest.mark.parametrize(
    ("column", "value", "says"),
    [
        ("lang", "es", "en, de, fr"),
        ("tz", "Mars/Olympus", "Europe/Berlin"),
        ("days", "due on receipt", "number of days"),
        ("days", "0", "1 to 365"),
        ("days", "30.5", "1 to 365"),
        ("land", "XYZ", "two letters"),
        ("role", "boss", "a role"),
        ("limit", "-1", "zero or more"),
        ("cur", "EURO", "not a currency"),
        ("mail", "nobody", "e-mail"),
    ],
)
def test_what_a_client_cannot_have_is_refused_by_column(column, value, says):
    cells = ["007" if name == "id" else value if name == column else "" for name in CLIENTS.values()]
    error = one_error(clients(",".join(cells)))
    assert error.column == column and says in error.message


def test_two_rows_of_a_client_may_name_two_people_but_not_contradict_each_other():
    tail = "," * 8
    assert not clients(f"1,Acme,Mara,,{tail}", f"1,Acme,Jon,,{tail}").errors
    assert "On line 2" in one_error(clients(f"1,Acme,Mara,,{tail}", f"1,Acme Ltd,Jon,,{tail}")).message


# ── Proposals ───────────────────────────────────────────────────────────


def test_headings_of_other_systems_are_recognised_slips_included():
    keys = ITEM_NEEDED + ITEM_OPTIONAL
    headers = [
        "",
        "cust_number",
        "name_customer",
        "doc_id",
        "posting_date",
        "due_in_date",
        "converted_usd",
        "Aging Bucket",
    ]
    assert suggest_mapping(headers, keys) == {
        "number": "doc_id",
        "client": "cust_number",
        "issued_on": "posting_date",
        "due_on": "due_in_date",
        "total": "converted_usd",
        "client_name": "name_customer",
    }
    german = ["Rechnungsnr", "Kundennummer", "Rechnungsdtaum", "Fälligkeit", "Betrag", "Datum", "Datum"]
    assert suggest_mapping(german, keys) == {
        "number": "Rechnungsnr",
        "client": "Kundennummer",
        "issued_on": "Rechnungsdtaum",
        "due_on": "Fälligkeit",
        "total": "Betrag",
    }


def test_several_formats_that_fit_are_all_proposed_and_a_mixture_fits_none():
    assert suggest_date_formats(["01.02.2013", "", "03.04.2013"]) == ["%d.%m.%Y"]
    assert suggest_date_formats(["01/02/2013"]) == ["%d/%m/%Y", "%m/%d/%Y"]
    assert suggest_date_formats(["2020-03-30 00:00:00.000000000"]) == ["%Y-%m-%d 00:00:00.000000000"]
    assert suggest_date_formats(["26-04-2011", "04/26/2011"]) == suggest_date_formats([]) == []
