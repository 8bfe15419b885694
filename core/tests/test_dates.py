from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.dates import (
    add_business_days,
    add_months,
    check_date_format,
    half_year,
    half_year_start,
    in_window,
    is_business_day,
    month_end,
    next_business_day,
    parse_date,
    show_day,
    window_opening,
)

days = st.dates(date(1950, 1, 1), date(2150, 1, 1))
HOLIDAYS = {date(2026, 4, 3), date(2026, 4, 6)}


def test_the_thursday_before_easter_is_followed_by_the_tuesday_after_it() -> None:
    assert next_business_day(date(2026, 4, 2), HOLIDAYS) == date(2026, 4, 2)
    assert next_business_day(date(2026, 4, 3), HOLIDAYS) == date(2026, 4, 7)
    assert add_business_days(date(2026, 4, 2), 2, HOLIDAYS) == date(2026, 4, 8)
    assert add_business_days(date(2026, 4, 4), 0, HOLIDAYS) == date(2026, 4, 4)


def test_a_busy_machine_fails_no_property() -> None:
    """The first read of a date loads Python's own tables; under load that alone outlasts hypothesis' 200 ms."""
    assert settings.default.deadline is None and HealthCheck.too_slow in settings.default.suppress_health_check


@given(days)
def test_the_next_business_day_is_one_and_nothing_before_it_is(day: date) -> None:
    following = next_business_day(day)
    assert is_business_day(following)
    assert not any(is_business_day(day + timedelta(n)) for n in range((following - day).days))


def test_the_last_of_january_goes_by_the_last_of_february_to_the_last_of_march() -> None:
    assert [add_months(date(2026, 1, 31), n) for n in range(4)] == [
        date(2026, 1, 31), date(2026, 2, 28), date(2026, 3, 31), date(2026, 4, 30),
    ]
    assert add_months(date(2028, 1, 31), 1) == date(2028, 2, 29)
    assert add_months(date(2026, 1, 31), -2) == date(2025, 11, 30)


@given(days, st.integers(-600, 600))
def test_months_are_added_to_the_month_and_never_spill_into_the_next(day: date, months: int) -> None:
    later = add_months(day, months)
    assert (later.year * 12 + later.month) - (day.year * 12 + day.month) == months
    assert later.day == min(day.day, month_end(later).day)


@given(days)
def test_the_day_after_a_month_end_is_a_first(day: date) -> None:
    assert month_end(day).month == day.month
    assert (month_end(day) + timedelta(1)).day == 1


@given(days)
def test_a_day_lies_in_the_half_year_that_began_last(day: date) -> None:
    start = half_year_start(day)
    assert start <= day < add_months(start, 6)
    assert half_year(start) == half_year(day)


@pytest.mark.parametrize(
    ("moment", "inside"),
    [("2026-04-15 08:59", False), ("2026-04-15 09:00", True), ("2026-04-15 16:59", True), ("2026-04-15 17:00", False),
     ("2026-04-18 12:00", False), ("2026-04-03 12:00", False)],
)
def test_messages_leave_on_business_days_from_nine_until_before_five(moment: str, inside: bool) -> None:
    assert in_window(datetime.fromisoformat(moment), time(9), time(17), HOLIDAYS) is inside


@pytest.mark.parametrize(
    ("zone", "day", "utc"),
    [
        ("Europe/Berlin", date(2026, 3, 28), "2026-03-28 08:00"),
        ("Europe/Berlin", date(2026, 3, 29), "2026-03-29 07:00"),
        ("America/Los_Angeles", date(2026, 3, 31), "2026-03-31 16:00"),
        ("Pacific/Auckland", date(2026, 3, 31), "2026-03-30 20:00"),
    ],
)
def test_the_window_opens_at_nine_local_time_on_both_sides_of_a_clock_change(zone: str, day: date, utc: str) -> None:
    assert window_opening(day, time(9), ZoneInfo(zone)) == datetime.fromisoformat(utc).replace(tzinfo=UTC)


def test_a_window_that_opens_in_the_skipped_hour_opens_after_it() -> None:
    opens = window_opening(date(2026, 3, 29), time(2, 30), ZoneInfo("Europe/Berlin"))
    assert opens.astimezone(ZoneInfo("Europe/Berlin")).time() == time(3, 30)


@pytest.mark.parametrize(
    ("text", "fmt", "day"),
    [
        ("1/2/2013", "%m/%d/%Y", date(2013, 1, 2)),
        ("26-Apr-11", "%d-%b-%y", date(2011, 4, 26)),
        ("26-04-2011 11:50", "%d-%m-%Y %H:%M", date(2011, 4, 26)),
        ("2020-03-30 00:00:00.000000000", "%Y-%m-%d 00:00:00.000000000", date(2020, 3, 30)),
        ("20200210.0", "%Y%m%d.0", date(2020, 2, 10)),
        ("20200125", "%Y%m%d", date(2020, 1, 25)),
        ("29.02.2028", "%d.%m.%Y", date(2028, 2, 29)),
    ],
)
def test_a_date_is_read_in_the_format_given(text: str, fmt: str, day: date) -> None:
    assert parse_date(text, fmt) == day


@pytest.mark.parametrize(
    ("text", "fmt"),
    [
        ("26/04/2011", "%m/%d/%Y"),
        ("2020-03-30 00:00:00.000000000", "%Y-%m-%d"),
        ("2020-03-30", "%Y-%m-%d 00:00:00.000000000"),
        ("00:00.0", "%Y-%m-%d"),
        ("2020125", "%Y%m%d"),
        ("٢٠٢٠-03-30", "%Y-%m-%d"),
        (" 2020-03-30", "%Y-%m-%d"),
        ("2020-03-30\n", "%Y-%m-%d"),
        ("26-04-2011\t11:50", "%d-%m-%Y %H:%M"),
        ("29.02.2026", "%d.%m.%Y"),
        ("", "%Y-%m-%d"),
    ],
)
def test_any_other_date_is_refused_with_the_format_expected(text: str, fmt: str) -> None:
    with pytest.raises(ValueError, match="is not a date in the format"):
        parse_date(text, fmt)


def test_a_year_out_of_all_reason_is_a_typing_error() -> None:
    with pytest.raises(ValueError, match="lies in the year 202"):
        parse_date("0202-03-30", "%Y-%m-%d")


@pytest.mark.parametrize("fmt", ["%d/%m", "%Y", "", "dd.mm.yyyy", "%Y-%m-%Q", "%d.%d.%Y", "%"])
def test_a_format_without_day_month_and_year_is_refused(fmt: str) -> None:
    with pytest.raises(ValueError, match="does not give day, month and year"):
        check_date_format(fmt)


@given(days, st.sampled_from(["%Y-%m-%d", "%m/%d/%Y", "%d.%m.%Y", "%Y%m%d", "%d %b %Y"]))
def test_a_date_written_in_a_format_is_read_back(day: date, fmt: str) -> None:
    assert parse_date(day.strftime(fmt), fmt) == day


def test_a_date_is_shown_with_the_month_as_a_word() -> None:
    day = date(2026, 7, 1)
    assert [show_day(day, language) for language in ("en", "de", "fr", "xx")] == [
        "1 July 2026", "1. Juli 2026", "1er juillet 2026", "1 July 2026",
    ]
    assert show_day(day, "fr", "full") == "mercredi 1er juillet 2026"
    assert show_day(date(2026, 7, 21), "fr", "yearless") == "21 juillet"
