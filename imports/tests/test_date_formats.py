"""The one format of a file's dates: proposed where it fits everything, asked for, or refused with examples."""

from __future__ import annotations

import datetime as dt
import time

import pytest

from imports.date_formats import formats_of, in_letters, read_as


def column(*values: str) -> dict[str, list[tuple[int, str]]]:
    return {"due": list(enumerate(values, 2))}


@pytest.mark.parametrize(
    ("values", "fitting"),
    [
        (["26.04.2013", "01.05.2013"], ("%d.%m.%Y",)),
        (["2013-04-26", "", "2013-05-01"], ("%Y-%m-%d",)),
        (["4/26/2013", "5/1/2013"], ("%m/%d/%Y",)),
        (["4/5/2013", "5/1/2013"], ("%d/%m/%Y", "%m/%d/%Y")),
        (["20130426"], ("%Y%m%d",)),
        ([], ()),
        (["", " "], ()),
    ],
)
def test_only_what_fits_every_date_is_proposed(values, fitting):
    found = formats_of(column(*(value.strip() for value in values)))
    assert found.fitting == fitting and not found.mixed


def test_one_value_late_in_the_file_decides_between_two_formats():
    values = ["4/5/2013"] * 500 + ["4/26/2013"]
    assert formats_of(column(*values)).fitting == ("%m/%d/%Y",)


def test_the_sample_tells_the_formats_apart():
    found = formats_of(column("5/5/2013", "4/5/2013"))
    assert found.sample == "4/5/2013"
    assert {read_as(found.sample, fmt) for fmt in found.fitting} == {dt.date(2013, 5, 4), dt.date(2013, 4, 5)}


def test_a_mixed_column_is_refused_with_its_lines():
    (sentence,) = formats_of(column("26/4/2013", "27/4/2013", "4/28/2013", "2013-04-29")).mixed
    assert sentence == (
        "«due»: 2 of 4 dates are DD/MM/YYYY, but not «4/28/2013» (line 4: MM/DD/YYYY), «2013-04-29» (line 5: "
        "YYYY-MM-DD)."
    )


def test_columns_that_differ_from_each_other_are_named():
    found = formats_of({"issued": [(2, "2013-04-26")], "due": [(2, "26.05.2013")]})
    assert found.fitting == ()
    assert found.mixed == (
        "The date columns are written in different ways: «issued» as YYYY-MM-DD, «due» as DD.MM.YYYY.",
    )


def test_what_is_no_date_at_all_stands_beside_and_mixes_nothing():
    found = formats_of(column("26/4/2013", "soon", "n/a"))
    assert found.fitting == ("%d/%m/%Y",)
    assert found.strange == ((3, "soon"), (4, "n/a"))
    assert formats_of(column("soon")).fitting == ()


def test_letters_are_those_people_write():
    assert in_letters("%d-%b-%Y") == "DD-Mon-YYYY"
    assert in_letters("%Y-%m-%d %H:%M:%S") == "YYYY-MM-DD hh:mm:ss"


def test_a_long_file_is_told_quickly():
    day = dt.date(2010, 1, 1)
    values = [(day + dt.timedelta(days=n % 1500)).strftime("%d/%m/%Y") for n in range(40_000)]
    begun = time.process_time()
    assert formats_of(column(*values)).fitting == ("%d/%m/%Y",)
    assert time.process_time() - begun < 3
