"""Our own words for the steps of a policy: which hold, and saving them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.db import transaction

from audit.services import record
from core.batches import once_in_a_batch
from core.errors import Refused
from core.models import LANGUAGES, as_text
from policies.guard_rails import Rail, broken, countries_of
from policies.models import Policy, PolicyDraft, Step, StepText
from policies.step_texts import Backing, backing_by, check_text, check_tone

from .guard_rails import rails_for
from .rates import rule_of
from .versions import STEP_FIELDS, steps_of, values_of
from .words_of_steps import own_words, words_by_law


@once_in_a_batch
def step_text_of(policy_name: str, step: str, tone: str, language: str) -> StepText | None:
    """Our own words for a step in a tone and a language; None where the words shipped hold.

    Words for the step itself go before words for every step of the tone; the newest row of either decides, and an
    empty one means the words shipped.
    """
    rows = StepText.objects.filter(policy_name=policy_name, tone=tone, language=language, step__in={step, ""})
    newest = rows.order_by("-step", "-id").first()
    return newest if newest is not None and (newest.subject or newest.text) else None


def save_step_text(
    policy_name: str, step: str, tone: str, language: str, subject: str, text: str, *, on: dt.date, by: Any
) -> StepText:
    """Our own words for a step (every step of the tone where ``step`` is empty); both texts empty: the words shipped.

    They hold from the next message on. Refused for a step or tone the policy has not, for unknown names and unclosed
    braces, for threats, charges, insults and shouting (see ``step_texts.check_tone``), and where a mandatory notice
    would not say what the law of the policy's countries asks for; by the version in force and those to come. ``where``
    is the field.
    """
    subject, text = subject.strip(), text.replace("\r\n", "\n").strip()
    check_step_text(policy_name, step, tone, language, subject, text, on=on)
    with transaction.atomic():
        row = StepText.objects.create(
            policy_name=policy_name, step=step, tone=tone, language=language, subject=subject, text=text,
            made_by=as_text(by)[:150],
        )
        what = "the words shipped" if not subject and not text else "own words"
        record(by, "step_text_saved", row, summary=f"{row}: {what}", diff={"subject": subject, "text": text})
    return row


def check_step_text(
    policy_name: str, step: str, tone: str, language: str, subject: str, text: str, *, on: dt.date
) -> None:
    """Refuse words that ``save_step_text`` would refuse; nothing is written."""
    policy = policy_for_words(policy_name, on)
    if language not in dict(LANGUAGES):
        _steps_meant(policy, step, tone)
        raise Refused("Choose the language the words are in.", where="language")
    check_text(subject, text)
    _check_by(policy, _steps_meant(policy, step, tone), step, language, subject, text, on)
    for later in Policy.objects.filter(name=policy_name, effective_from__gt=max(on, policy.effective_from)):
        meant = [one for one in later.steps.all() if one.sends_mail and one.tone == tone and step in ("", one.code)]
        try:
            _check_by(later, meant, step, language, subject, text, later.effective_from)
        except Refused as refused:
            said = f"For the version from {later.effective_from.isoformat()}: {refused.message}"
            raise Refused(said, code=refused.code, where=refused.where) from None


def _check_by(
    policy: Policy, meant: list[Step], step: str, language: str, subject: str, text: str, on: dt.date
) -> None:
    """Hold words against what a version does and against the words that the law of its countries asks for."""
    rails = [rail for rail in rails_for(countries_of(policy.jurisdictions)) if rail.kind == "words"]
    planned = [values.get("jurisdictions", "") for values in _drafts_of(policy.name)]
    wanted = rails_for(countries_of(" ".join([policy.jurisdictions, *planned])))
    check_tone(subject, text, language, backing_of(policy, meant, on, wanted))
    words = own_words(policy.name)
    for one in meant:
        if not step and (one.code, one.tone, language) in words:
            continue  # has words of its own
        texts = {one.code: [text]} if text else {}
        missing = broken([_values(one)], values_of(policy), rails, texts=texts)
        if missing:
            raise Refused(missing[0].sentence, code="words", where="text")


def _drafts_of(policy_name: str) -> Iterable[dict[str, Any]]:
    """What is thought over: words that the law of its countries wants are written before it is activated."""
    return PolicyDraft.objects.filter(name=policy_name, activated=None).values_list("values", flat=True)


def policy_for_words(policy_name: str, on: dt.date) -> Policy:
    """The version whose steps the words are for: the one in force, else the first to come. Refused where none is."""
    policy = Policy.objects.in_force(policy_name, on) or Policy.objects.filter(name=policy_name).last()
    if policy is None:
        raise Refused(f"There is no policy “{policy_name}”.", where="policy_name")
    return policy


def backing_of(policy: Policy, meant: list[Step], on: dt.date, rails: list[Rail]) -> Backing:
    """What a version of a policy really does, as far as words for these steps may speak of it."""
    return backing_by(
        steps_of(policy), [_values(one) for one in meant], rule=rule_of(policy.interest, on),
        consumers=policy.for_consumers, by_law=words_by_law(rails),
    )  # fmt: skip


def _values(step: Step) -> dict[str, Any]:
    return {name: getattr(step, name) for name in STEP_FIELDS}


def _steps_meant(policy: Policy, step: str, tone: str) -> list[Step]:
    mailed = [one for one in policy.steps.all() if one.sends_mail]
    if step:
        meant = [one for one in mailed if one.code == step]
        if not meant:
            known = ", ".join(one.code for one in mailed)
            raise Refused(f"“{policy.name}” sends no step “{step}”; it sends {known}.", where="step")
        if meant[0].tone != tone:
            raise Refused(
                f"The step “{step}” is {meant[0].get_tone_display()}; choose that tone.", where="tone"
            )
        return meant
    meant = [one for one in mailed if one.tone == tone]
    if not meant:
        raise Refused(f"“{policy.name}” sends nothing in this tone; choose another.", where="tone")
    return meant
