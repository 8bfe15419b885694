"""Which policy is in force, and making the next version of one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import JSONField, Model

from audit.services import record
from core.errors import Refused
from core.models import Company, as_text
from core.money import currency_codes
from core.services import today
from policies.guard_rails import broken, countries_of
from policies.ladder import DEFAULT_CALL_MINIMUM, DEFAULT_LADDER
from policies.ladder_checks import Wrong, wrong_with_ladder, wrong_with_values
from policies.models import CompanyPolicy, Policy, Step, Terms

from .choices import keep_choice
from .guard_rails import known_countries, rails_for, unknown_among
from .rates import rule_of
from .words_of_steps import texts_by_step, wrong_with_words

_OF_THE_VERSION = {"id", "name", "effective_from", "made_by", "made_at"}
COPIED = tuple(f.name for f in Policy._meta.concrete_fields if f.name not in _OF_THE_VERSION)
STEP_FIELDS = tuple(f.name for f in Step._meta.concrete_fields if f.name not in ("id", "policy"))


def policy_of(company: Company, on: dt.date) -> Policy:
    """The version of the company's policy in force on the day.

    Refused where the company has none, or where its first version begins later.
    """
    choice = CompanyPolicy.objects.filter(company=company).first()
    if choice is None:
        raise Refused(
            f"{company} uses no policy; choose one in the admin under “Policies of companies”.", code="no_policy"
        )
    policy = Policy.objects.in_force(choice.name, on)
    if policy is None:
        raise Refused(f"The policy “{choice.name}” has no version in force on {on.isoformat()}.", code="no_version")
    return policy


def default_policy(by: Any, *, effective_from: dt.date = dt.date(2000, 1, 1), name: str = "standard") -> Policy:
    """The policy as shipped, with the default ladder; making it again answers with the one that exists."""
    with transaction.atomic():
        policy, made = Policy.objects.get_or_create(
            name=name,
            effective_from=effective_from,
            defaults={"title": "Standard", "call_minimum": DEFAULT_CALL_MINIMUM, "made_by": as_text(by)},
        )
        if made:
            Step.objects.bulk_create(
                Step(
                    policy=policy,
                    code=s.code,
                    title=s.title,
                    offset_days=s.offset_days,
                    channel=s.channel,
                    tone=s.tone,
                    **s.extra,
                )
                for s in DEFAULT_LADDER
            )
            record(by, "policy_made", policy)
    return policy


def use_policy(company: Company, name: str, by: Any, on: dt.date | None = None) -> CompanyPolicy:
    """The company behaves by the policy of that name from a day on, its today unless told.

    The first it ever chooses holds since ever. Chosen again it changes nothing.
    """
    with transaction.atomic():
        kept = CompanyPolicy.objects.select_for_update().filter(company=company).first()
        if kept is not None and kept.name == name:
            return kept
        before = kept.name if kept is not None else ""
        choice, _ = CompanyPolicy.objects.update_or_create(company=company, defaults={"name": name})
        if before:
            keep_choice("company", company.pk, company.pk, before=before, name=name, on=on or today(company), by=by)
        record(by, "policy_chosen", choice, summary=name, diff={"policy": name, "before": before})
    return choice


def new_version(
    old: Policy,
    *,
    effective_from: dt.date,
    changes: Mapping[str, Any],
    steps: Sequence[Mapping[str, Any]] | None,
    on: dt.date,
    by: Any,
) -> Policy:
    """The next version of a policy: ``changes`` over the old one, ``steps`` in place of its ladder (None keeps it).

    Refused where the version would begin in the past or on the day of another version, where it contradicts itself,
    and where it breaks a guard-rail of its countries (``what_is_wrong``). A ladder that is kept may go on giving
    notice of interest where the version charges none; the notice then says nothing.
    """
    if effective_from <= on:
        raise Refused(
            "A version begins tomorrow at the earliest, so that today stays explained.", where="effective_from"
        )
    values = values_of(old) | {name: value for name, value in changes.items() if name in COPIED}
    ladder = [dict(s) for s in steps] if steps is not None else steps_of(old)
    wrong = what_is_wrong(old.name, values, ladder, effective_from=effective_from, keeps_ladder=steps is None)
    if wrong:
        raise Refused(wrong[0].sentence, code="policy", where=wrong[0].where)
    try:
        with transaction.atomic():
            policy = saved(old.name, effective_from, values, ladder, by)
            record(by, "policy_version_made", policy, diff={"from": str(old), "changed": sorted(changes)})
    except IntegrityError:
        raise Refused(
            f"“{old.name}” already has a version from {effective_from.isoformat()}; choose another day.",
            where="effective_from",
        ) from None
    return policy


def saved(
    name: str, effective_from: dt.date, values: Mapping[str, Any], ladder: Sequence[Mapping[str, Any]], by: Any
) -> Policy:
    """A version with its ladder, as rows; whoever calls has looked at it and holds the transaction.

    IntegrityError where the policy has a version from that day.
    """
    policy = Policy(name=name, effective_from=effective_from, made_by=as_text(by), **_typed(Policy, values))
    policy.save(force_insert=True)
    Step.objects.bulk_create(Step(policy=policy, **_typed(Step, step)) for step in ladder)
    return policy


def values_of(policy: Policy) -> dict[str, Any]:
    """Everything a version says besides its ladder, by field."""
    return {name: getattr(policy, name) for name in COPIED}


def steps_of(policy: Policy) -> list[dict[str, Any]]:
    """The ladder of a version, step by step, by field."""
    return [{name: getattr(step, name) for name in STEP_FIELDS} for step in policy.steps.all()]


def what_is_wrong(
    name: str,
    values: Mapping[str, Any],
    steps: Sequence[Mapping[str, Any]],
    *,
    effective_from: dt.date,
    keeps_ladder: bool = False,
) -> list[Wrong]:
    """Everything for which a version of the policy ``name`` would be refused: sentence, step and field of each.

    Our own words for its steps are looked at too: a version may take away what they speak of. Values may be typed or
    as JSON has them. With ``keeps_ladder`` notices of interest may stand without a rule.
    """
    found: list[Wrong] = []
    for model, row in ((Policy, values), *((Step, step) for step in steps)):
        found += _no_such_values(model, row)
    if found:
        return found
    values, ladder = _typed(Policy, values), [_typed(Step, step) for step in steps]
    try:
        rule = rule_of(str(values.get("interest", "CONTRACT")), effective_from)
    except Refused as refused:
        found.append(Wrong(refused.message, "", "interest"))
        rule = None
    codes = frozenset(currency_codes())
    found += wrong_with_ladder(ladder, codes)
    found += wrong_with_values(values, rule, () if keeps_ladder else ladder, codes)
    countries = countries_of(values.get("jurisdictions", ""))
    unknown = unknown_among(countries)
    if unknown:
        found.append(Wrong(_unknown(unknown), "", "jurisdictions"))
    rails, texts = rails_for(countries), texts_by_step(name, ladder)
    found += wrong_with_words(name, values, ladder, rule, rails)
    found += [
        Wrong(one.sentence, one.step, one.where) for one in broken(ladder, values, rails, rule=rule, texts=texts)
    ]
    return found


def check_ladder(steps: Sequence[Mapping[str, Any]]) -> None:
    """Refuse a ladder that contradicts itself, with the first sentence of ``wrong_with_ladder``."""
    wrong = wrong_with_ladder(steps, frozenset(currency_codes()))
    if wrong:
        raise Refused(wrong[0].sentence, code="ladder", where=wrong[0].where)


def check_policy_name(name: str, on: dt.date) -> None:
    """Refuse to choose a policy nobody could be reminded by; empty is the usual one."""
    if name and Policy.objects.in_force(name, on) is None:
        raise Refused(
            f"The policy “{name}” has no version in force on {on.isoformat()}; choose another, or none for the usual.",
            code="no_version", where="policy_name",
        )  # fmt: skip


def policies_to_choose(on: dt.date) -> list[tuple[str, str]]:
    """The policies in force on a day, each with its name and how people call it."""
    newest: dict[str, Policy] = {}
    for policy in Policy.objects.filter(effective_from__lte=on).order_by("effective_from"):
        newest[policy.name] = policy
    return [(name, newest[name].title or name) for name in sorted(newest)]


def _unknown(countries: Sequence[str]) -> str:
    known = known_countries()
    of = ", ".join(known) if known else "no country yet"
    return (
        f"Of {', '.join(countries)} no rule is known, only of {of}; add one under “Guard rails” with its source, or "
        "take the country out."
    )


def _typed(model: type[Model], row: Mapping[str, Any]) -> dict[str, Any]:
    """Values as the columns keep them: a time written «09:00» is a time."""
    return {name: model._meta.get_field(name).to_python(value) for name, value in row.items()}  # type: ignore[union-attr]


def _no_such_values(model: type[Model], row: Mapping[str, Any]) -> list[Wrong]:
    """What a column does not take: an unknown channel, a number that is too large, a text that is too long."""
    found = []
    for name, value in row.items():
        field = model._meta.get_field(name)
        if (value is None and field.null) or (value in ("", [], {}) and (field.blank or isinstance(field, JSONField))):  # type: ignore[union-attr]
            continue
        try:
            field.clean(value, None)  # type: ignore[union-attr]
        except ValidationError as error:
            what = f"“{row.get('title') or row.get('code')}”, " if model is Step else ""
            label = str(field.verbose_name)  # type: ignore[union-attr]
            found.append(Wrong(f"{what}{label}: {' '.join(error.messages)}", str(row.get("code", "")), name))
    return found


def default_terms(company: Company) -> Terms | None:
    """The terms a new client of the company gets."""
    return Terms.objects.filter(company=company).order_by("-is_default", "net_days").first()
