"""What runs where: nothing is left out by both suites, and what could differ between databases runs on both."""

from types import SimpleNamespace

import pytest

from tests.running import SUITES, pytest_collection_modifyitems, suites_of


def item(nodeid, *marks, fixtures=("db",)):
    named = [SimpleNamespace(name=name) for name in marks]
    return SimpleNamespace(nodeid=nodeid, fixturenames=fixtures, iter_markers=lambda: named)


@pytest.mark.parametrize(
    ("one", "suites"),
    [
        (item("payments/tests/test_hearing.py::test_a", "django_db", fixtures=()), SUITES),
        (item("payments/tests/test_hearing.py::test_a"), SUITES),
        (item("core/money.py::core.money.plain", fixtures=()), ("postgresql",)),
        (item("outbox/tests/test_deliver.py::test_a", "redis", "once"), ("postgresql",)),
        (item("tests/test_races.py::test_a", "postgres", fixtures=()), ("postgresql",)),
        (item("dashboard/tests/test_today.py::test_a"), ("sqlite",)),
        (item("dashboard/tests/test_today.py::test_a", "postgres"), ("postgresql",)),
        (item("arledger/tests/test_boot.py::test_a", "on_sqlite", fixtures=()), ("sqlite",)),
        (item("imports/tests/test_commands.py::test_a", "once"), ("sqlite",)),
    ],
)
def test_by_day(one, suites):
    assert suites_of(one) == suites


@pytest.mark.parametrize("mark", ["once", "on_sqlite", "browser", "django_db"])
def test_by_night_all_but_what_needs_a_server_runs_on_both(mark):
    for nodeid in ("dashboard/tests/test_today.py::test_a", "tests/test_story_once.py::test_a", "core/money.py::plain"):
        assert suites_of(item(nodeid, mark), by_night=True) == SUITES
        assert suites_of(item(nodeid, mark, "postgres"), by_night=True) == ("postgresql",)


def test_stories_take_turns_and_their_cases_stay_together():
    turns = [suites_of(item(f"tests/test_story_once.py::test_{n}")) for n in range(40)]
    assert 10 < turns.count(("sqlite",)) < 30 and turns.count(("sqlite",)) + turns.count(("postgresql",)) == 40
    assert turns == [suites_of(item(f"tests/test_story_once.py::test_{n}[a-b]")) for n in range(40)]


def test_the_browsers_of_a_file_run_in_one_suite():
    files = [f"dashboard/tests/test_{n}_in_browser.py" for n in range(40)]
    for file in files:
        first, second = (suites_of(item(f"{file}::test_{n}", "browser", "once")) for n in "ab")
        assert first == second and len(first) == 1


def test_each_suite_leaves_out_what_the_other_runs_and_no_more(monkeypatch):
    monkeypatch.delenv("AR_NIGHTLY", raising=False)
    both = "payments/tests/test_hearing.py::test_a"
    names = [*(f"tests/test_story_once.py::test_{n}" for n in range(20)), both]

    def ran(other):
        items = [item(name) for name in names] + [item("core/a.py::a", fixtures=())]
        for one in items:
            one.get_closest_marker = lambda name: None
        hook = SimpleNamespace(pytest_deselected=lambda items: None)
        pytest_collection_modifyitems(SimpleNamespace(getoption=lambda name: other, hook=hook), items)
        return [one.nodeid for one in items]

    everything = [*names, "core/a.py::a"]
    assert ran(None) == everything
    assert sorted(ran("sqlite") + ran("postgresql")) == sorted([*everything, both])
