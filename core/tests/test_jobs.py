"""Work a person waits for, and chores."""

import datetime as dt

import pytest
from django.utils import timezone

from core import housekeeping, jobs
from core.errors import Refused
from core.models import Job, Tick

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 11, 18, 10, 0, tzinfo=dt.UTC)


@pytest.fixture(autouse=True)
def rung(monkeypatch):
    heard = []
    monkeypatch.setattr(jobs, "ring", lambda task, *ids: heard.append((task, *ids)))
    return heard


@pytest.fixture
def works(monkeypatch):
    monkeypatch.setattr(jobs, "_works", {})
    return jobs.register


def clock():
    return NOW


def test_a_job_is_done_once_and_keeps_its_answer(works, rung):
    seen = []
    works(
        "add", lambda arguments, by, told: (seen.append(by), told(2, 2, "numbers"), {"sum": sum(arguments["of"])})[-1]
    )
    job = jobs.start_job("add", {"of": [1, 2]}, by="Ada")
    assert rung == [("core.run_job", job.pk)]

    jobs.run_job(job.pk, clock)
    jobs.run_job(job.pk, clock)

    job.refresh_from_db()
    assert (job.state, job.result, job.done, job.total, job.step) == ("done", {"sum": 3}, 2, 2, "numbers")
    assert len(seen) == 1


def test_progress_can_be_followed_from_outside_while_the_job_runs(works):
    states = []

    def work(arguments, by, told):
        told(1, 4, "rows")
        states.append(jobs.state_of(Job.objects.get(), NOW))
        return {}

    works("slow", work)
    job = jobs.run_job(jobs.start_job("slow", {}, by="Ada").pk, clock)

    assert states == [jobs.State("running", 1, 4, "rows")]
    assert not jobs._place(job.pk).exists()


def test_a_refusal_fails_the_job_with_its_sentence(works):
    def work(arguments, by, told):
        raise Refused("The file is empty.")

    works("bad", work)
    job = jobs.run_job(jobs.start_job("bad", {}, by="Ada").pk, clock)
    assert (job.state, job.error) == ("failed", "The file is empty.")


def test_an_answer_that_is_an_error_fails_the_job_and_is_kept(works):
    works("bad", lambda *_: {"refused": 3, "error": {"message": "3 rows cannot be taken."}})
    job = jobs.run_job(jobs.start_job("bad", {}, by="Ada").pk, clock)
    assert (job.state, job.error, job.result["refused"]) == ("failed", "3 rows cannot be taken.", 3)


def test_a_fault_of_ours_fails_the_job_without_telling_its_inside(works, caplog):
    works("broken", lambda *_: 1 / 0)
    job = jobs.run_job(jobs.start_job("broken", {}, by="Ada").pk, clock)
    assert job.state == "failed" and "division" not in job.error and "ZeroDivisionError" in caplog.text


def test_work_nobody_registered_is_refused(works):
    with pytest.raises(Refused):
        jobs.start_job("unheard-of", {}, by="Ada")


def test_a_job_that_nobody_took_is_rung_for_again_and_one_whose_worker_died_is_given_up(works, rung):
    works("add", lambda *_: {})
    waiting, running, fresh = (jobs.start_job("add", {}, by="Ada") for _ in range(3))
    now = timezone.now()
    Job.objects.filter(pk=waiting.pk).update(asked_at=now - dt.timedelta(minutes=2))
    Job.objects.filter(pk=running.pk).update(state="running", started_at=now - dt.timedelta(minutes=6))
    rung.clear()

    assert jobs.sweep_jobs(now) == {"rung": 1, "given_up": 1}
    assert rung == [("core.run_job", waiting.pk)]
    running.refresh_from_db()
    assert running.state == "failed" and "Start it again" in running.error
    fresh.refresh_from_db()
    assert fresh.state == "waiting"


def test_a_page_that_waits_long_rings_again(works, rung):
    works("add", lambda *_: {})
    job = jobs.start_job("add", {}, by="Ada")
    rung.clear()
    jobs.state_of(job, job.asked_at + dt.timedelta(seconds=5))
    assert not rung
    jobs.state_of(job, job.asked_at + dt.timedelta(seconds=20))
    assert rung


def test_a_chore_is_done_when_its_time_has_come_and_a_failing_one_keeps_no_other_from_it(monkeypatch, caplog):
    monkeypatch.setattr(housekeeping, "_chores", {})
    done = []
    housekeeping.register(housekeeping.Chore("fails", dt.timedelta(minutes=1), lambda now: 1 / 0))
    housekeeping.register(
        housekeeping.Chore("dust", dt.timedelta(hours=1), lambda now: {"n": done.append(now) or len(done)})
    )
    now = timezone.now()

    assert housekeeping.do_chores(now) == {"fails": "failed", "dust": {"n": 1}}
    housekeeping.do_chores(now + dt.timedelta(minutes=30))
    assert len(done) == 1
    housekeeping.do_chores(now + dt.timedelta(minutes=61))
    assert len(done) == 2
    assert "ZeroDivisionError" in Tick.objects.get(name="housekeeping:fails").error
