"""A policy beside those there are: made from one that exists, under a name of its own."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from audit.services import record
from core.errors import Refused
from core.models import as_text
from policies.models import Policy, PolicyDraft, StepText

from .versions import COPIED, saved, steps_of, values_of, what_is_wrong

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


def new_policy(
    old: Policy, *, name: str, effective_from: dt.date, changes: Mapping[str, Any],
    steps: Sequence[Mapping[str, Any]] | None, on: dt.date, by: Any,
) -> Policy:
    """A second policy, begun from what a version of another says: ``changes`` over it, ``steps`` for its ladder.

    Without ``steps`` it keeps the ladder. Our own words of the other policy are its first words. From
    ``effective_from`` it can be chosen for a company, a segment, a client and an invoice; until somebody does, nobody
    is reminded by it. Refused for a name that is none or that a policy has already, for a first day gone by (what
    happened until today stays explained), where it contradicts itself or breaks a guard-rail (``what_is_wrong``).
    """
    check_new_name(name)
    if effective_from < on:
        raise Refused(_("A new policy begins today at the earliest; choose another day."), where="effective_from")
    values = values_of(old) | {field: value for field, value in changes.items() if field in COPIED}
    ladder = [dict(step) for step in steps] if steps is not None else steps_of(old)
    wrong = what_is_wrong(old.name, values, ladder, effective_from=effective_from, keeps_ladder=steps is None)
    if wrong:
        raise Refused(wrong[0].sentence, code="policy", where=wrong[0].where)
    with transaction.atomic():
        Policy.objects.select_for_update().order_by("pk").first()  # one new name at a time
        check_new_name(name)  # somebody else may have made one of that name meanwhile
        policy = saved(name, effective_from, values, ladder, by)
        copied = _words_of(old.name, name, by)
        record(by, "policy_made", policy, diff={"from": str(old), "changed": sorted(changes), "own_words": copied})
    return policy


def check_new_name(name: str) -> None:
    """Refuse what cannot name a new policy: empty, other than small letters, digits and hyphens, or taken."""
    if not _NAME.fullmatch(name):
        raise Refused(
            _("Write a name of small letters, digits and hyphens, 40 at most, such as public-bodies."),
            code="name", where="name",
        )  # fmt: skip
    if (
        Policy.objects.filter(name=name).exists()
        or PolicyDraft.objects.filter(name=name).exists()
        or StepText.objects.filter(policy_name=name).exists()
    ):
        raise _taken(name)


def _words_of(old: str, name: str, by: Any) -> int:
    """Our own words of a policy, the newest of each, for another; how many."""
    newest: dict[tuple[str, str, str], StepText] = {}
    for row in StepText.objects.filter(policy_name=old).order_by("id"):
        newest[row.step, row.tone, row.language] = row
    mine = [
        StepText(
            policy_name=name, step=row.step, tone=row.tone, language=row.language, subject=row.subject, text=row.text,
            made_by=as_text(by)[:150],
        )
        for row in newest.values() if row.subject or row.text
    ]  # fmt: skip
    return len(StepText.objects.bulk_create(mine))


def _taken(name: str) -> Refused:
    return Refused(
        _("There is a policy “%(name)s” already; give this one another name, or make the next version of that one.")
        % {"name": name},
        code="name_taken", where="name",
    )  # fmt: skip
