"""Set-up of a new installation: the one-time link, and everything it brings about at its end, in one transaction."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from ar_collections.services.holding import hold_first_run
from audit.services import record
from core.errors import Refused
from core.models import Company, Installation
from core.services import today
from policies.credit_terms import publish_shipped_terms
from policies.founding import found_company

GOOD_FOR = dt.timedelta(minutes=30)


@dataclass(frozen=True)
class Answers:
    """What the set-up page was told: facts of the company and its account, terms, and the first administrator."""

    company: dict[str, Any]
    bank: dict[str, Any]
    net_days: int
    late_percent: Decimal
    username: str
    full_name: str
    email: str
    password: str
    publish_terms: bool = False


def new_setup_token(now: dt.datetime) -> str:
    """A token for the set-up page, good for 30 minutes and in place of any older one; only its hash is kept.

    Refused once the installation is set up: an administrator's password is then changed in another way.
    """
    with transaction.atomic():
        installation, _ = Installation.objects.select_for_update().get_or_create(only=1)
        if installation.set_up_at is not None or Company.objects.exists():
            raise Refused(
                "This installation is set up already; sign in, or run manage.py changepassword.", code="set_up"
            )
        token = secrets.token_urlsafe(32)
        installation.setup_token_sha256 = _hash(token)
        installation.setup_token_expires_at = now + GOOD_FOR
        installation.save()
    return token


def is_setup_token(token: str, now: dt.datetime) -> bool:
    """Whether the token opens the set-up page: the latest one, not used and not older than 30 minutes."""
    installation = Installation.objects.filter(setup_token_expires_at__gt=now, set_up_at=None).first()
    kept = installation.setup_token_sha256 if installation else ""
    return secrets.compare_digest(_hash(token), kept) and bool(kept)


def set_up(token: str, answers: Answers, *, now: dt.datetime) -> Company:
    """Found the company, publish its credit terms where they were read, make the administrator, use up the token.

    Its first messages are held for a person's release. Refused where the token is no longer good, or where a field
    does not accept its answer.
    """
    with transaction.atomic():
        installation, _ = Installation.objects.select_for_update().get_or_create(only=1)
        if not is_setup_token(token, now):
            raise Refused("This link is used up or too old; run manage.py setup_link for a new one.", code="token")
        if User.objects.filter(username=answers.username).exists():
            raise Refused("This name is taken; choose another one to sign in with.", where="username")
        first, _, last = answers.full_name.strip().rpartition(" ")
        administrator = User.objects.create_superuser(
            answers.username,
            answers.email,
            answers.password,
            first_name=first or last,
            last_name=last if first else "",
        )
        company = found_company(
            answers.company,
            answers.bank,
            net_days=answers.net_days,
            late_percent=answers.late_percent,
            by=administrator,
        )
        if answers.publish_terms:
            publish_shipped_terms(company, on=today(company, now), by=administrator)
        hold_first_run(company, reason="new", by=administrator)
        installation.setup_token_sha256, installation.setup_token_expires_at = "", None
        installation.set_up_at = now
        installation.save()
        record(administrator, "installation_set_up", company, summary=company.name)
    return company


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
