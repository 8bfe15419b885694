"""Our own words for the steps of a policy: which hold, and saving them."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import transaction

from audit.services import record
from core.errors import Refused
from core.models import LANGUAGES, as_text
from policies.models import Policy, Step, StepText
from policies.step_texts import Backing, check_text, check_tone

from .rates import rule_of


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
    braces, and for threats, charges, insults and shouting (see ``step_texts.check_tone``); ``where`` is the field.
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
    meant = _steps_meant(policy, step, tone)
    if language not in dict(LANGUAGES):
        raise Refused("Choose the language the words are in.", where="language")
    check_text(subject, text)
    check_tone(subject, text, language, backing_of(policy, meant, on))


def policy_for_words(policy_name: str, on: dt.date) -> Policy:
    """The version whose steps the words are for: the one in force, else the first to come. Refused where none is."""
    policy = Policy.objects.in_force(policy_name, on) or Policy.objects.filter(name=policy_name).last()
    if policy is None:
        raise Refused(f"There is no policy “{policy_name}”.", where="policy_name")
    return policy


def backing_of(policy: Policy, meant: list[Step], on: dt.date) -> Backing:
    """What a version of a policy really does, as far as words for these steps may speak of it."""
    steps = list(policy.steps.all())
    rule = rule_of(policy.interest, on)
    return Backing(
        handover=any(step.moves_stage_to == "handed_over" for step in steps)
        or (bool(meant) and all(is_final_notice(step) for step in meant)),
        interest=rule.charges,
        fees=any(step.fee for step in steps),
        compensation=bool(rule.compensation),
        cash_only=any(step.sets_cash_only for step in steps),
        consumers=policy.for_consumers,
    )


def is_final_notice(step: Step) -> bool:
    """The last notice before a person decides: it names what may follow."""
    return step.sends_mail and step.moves_stage_to == "final_notice"


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
