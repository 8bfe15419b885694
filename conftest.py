"""Fixtures that every app's tests share: the cast, and a pinned today."""

from __future__ import annotations

import datetime as dt
import gc
import os
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis

from tests import cast

pytest_plugins = ["tests.running", "tests.emptying", "tests.browser"]
gc.set_threshold(50_000, 20, 20)  # a suite keeps much and frees little: looking for cycles is time lost

# How long an example takes says how busy the machine is; a failure prints what repeats it. By day the examples are the
# same in every run, so that a change is judged by what it changed; every night looks at others.
BY_NIGHT = bool(os.environ.get("AR_NIGHTLY"))
hypothesis.register_profile(
    "house", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True, derandomize=not BY_NIGHT
)
hypothesis.load_profile("house")


@pytest.fixture(autouse=True)
def one_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests travel in time and the database does not: its clock is ours, so that no message is held for that."""
    monkeypatch.setattr("ar_collections.services.holding.database_now", timezone.now)


@pytest.fixture(autouse=True, scope="session")
def counts_of_their_own(tmp_path_factory: pytest.TempPathFactory) -> None:
    """What the tests count is not mixed up with an installation in the same folder, or with another run."""
    settings.CACHES["default"] |= {
        "BACKEND": "core.counting.SharedFileCache", "LOCATION": str(tmp_path_factory.mktemp("counts")),
    }  # fmt: skip


@pytest.fixture
def today() -> dt.date:
    return cast.TODAY


@pytest.fixture
def company(db: None) -> Any:
    return cast.make_company()


@pytest.fixture
def good_client(company: Any) -> Any:
    """Pays on time."""
    return cast.make_client(company, "C-0001", name="Osprey Logistics")


@pytest.fixture
def late_client(company: Any) -> Any:
    """Does not."""
    return cast.make_client(company, "C-0042", name="Harbour Lane Coffee")


@pytest.fixture
def clerk(db: None) -> Any:
    from django.contrib.auth.models import User

    return User.objects.create_user(
        "ada", password="correct horse battery", first_name="Ada", last_name="Kowalska", is_staff=True
    )
