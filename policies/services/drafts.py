"""The next version of a policy while it is thought over: begun, changed, thrown away, and at last activated."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import IntegrityError, models, transaction
from django.utils.translation import gettext as _

from audit.services import record
from core.errors import Refused
from core.models import as_text
from policies.ladder_checks import Wrong
from policies.models import Policy, PolicyDraft, Step

from .versions import COPIED, STEP_FIELDS, new_version, steps_of, values_of, what_is_wrong

ALREADY_OVERDUE = ("activation", "due_date", "chosen")


def open_draft(name: str) -> PolicyDraft | None:
    """The draft of a policy that is being thought over; None where there is none."""
    return PolicyDraft.objects.filter(name=name, activated=None).first()


def begin_draft(policy: Policy, by: Any) -> PolicyDraft:
    """Think the next version of a policy over, beginning with what this version says; one draft per policy.

    Where one is open already it is answered as it stands.
    """
    standing = open_draft(policy.name)
    if standing is not None:
        return standing
    try:
        return _begun(policy, values_of(policy), steps_of(policy), by)
    except IntegrityError:  # somebody else began one meanwhile
        return PolicyDraft.objects.get(name=policy.name, activated=None)


def keep_as_draft(
    policy: Policy, *, values: Mapping[str, Any], steps: Sequence[Mapping[str, Any]], begins: dt.date, by: Any
) -> PolicyDraft:
    """Keep what was written over a version as the policy's draft, meant to begin on a day.

    What ``values`` does not name is as the version says. Refused where a draft is open already, also where somebody
    begins one in the same moment: nobody writes over the other.
    """
    kept = {**values_of(policy), **values, "effective_from": begins}
    try:
        return _begun(policy, kept, steps, by)
    except IntegrityError:
        raise Refused(_("A draft of this policy is open already; change that one."), code="open_draft") from None


def _begun(
    policy: Policy, values: Mapping[str, Any], steps: Sequence[Mapping[str, Any]], by: Any
) -> PolicyDraft:
    """The draft with its row; IntegrityError where one is open."""
    names = (*COPIED, "effective_from")
    with transaction.atomic():
        draft = PolicyDraft.objects.create(
            name=policy.name, values=_as_json({name: values[name] for name in names if name in values}),
            steps=[_as_json({name: step[name] for name in STEP_FIELDS if name in step}) for step in steps],
            made_by=as_text(by)[:150],
        )
        record(by, "policy_draft_begun", draft, summary=str(policy))
    return draft


def save_draft(
    draft: PolicyDraft, *, values: Mapping[str, Any], steps: Sequence[Mapping[str, Any]], version: int, by: Any,
    begins: dt.date | None = None,
) -> PolicyDraft:
    """Keep what was changed, although it may be refused when it is activated (``draft_troubles`` says what).

    ``version`` is the one the person looked at: refused where somebody changed the draft meanwhile, and once it is
    activated. What ``values`` does not name stays. ``begins`` is the day it is meant to begin, kept for whoever
    writes on.
    """
    with transaction.atomic():
        draft = _still_open(draft, version)
        draft.values = {**draft.values, **_as_json({name: values[name] for name in COPIED if name in values})}
        if begins is not None:
            draft.values["effective_from"] = begins.isoformat()
        draft.steps = [_as_json({name: step[name] for name in STEP_FIELDS if name in step}) for step in steps]
        draft.version += 1
        draft.save(update_fields=["values", "steps", "version", "changed_at"])
        record(by, "policy_draft_saved", draft)
    return draft


def discard_draft(draft: PolicyDraft, *, version: int, by: Any) -> None:
    """Throw a draft away; refused where somebody changed it meanwhile, and once it is activated."""
    with transaction.atomic():
        draft = _still_open(draft, version)
        record(by, "policy_draft_discarded", draft)
        draft.delete()


def draft_troubles(draft: PolicyDraft, effective_from: dt.date) -> list[Wrong]:
    """Everything activating the draft from that day would be refused for; empty where nothing is."""
    values = {name: value for name, value in draft.values.items() if name in COPIED}
    return what_is_wrong(draft.name, values, draft.steps, effective_from=effective_from)


def activate_draft(
    draft: PolicyDraft, *, effective_from: dt.date, already_overdue: str, already_overdue_from: dt.date | None = None,
    version: int, on: dt.date, by: Any,
) -> Policy:
    """Make the draft the policy's version from a day on, with the choice for what is overdue when it begins.

    ``already_overdue``: interest on it runs from the day the version begins (``activation``), from its due date
    (``due_date``) or from ``already_overdue_from`` (``chosen``). Refused without that choice, for a day that is not
    to come, where the ladder is refused, and where somebody changed the draft meanwhile. Activated twice it is one
    version.
    """
    if already_overdue not in ALREADY_OVERDUE:
        raise Refused(
            _("Choose from when what is already overdue bears interest."), code="choose", where="already_overdue"
        )
    chosen = already_overdue_from if already_overdue == "chosen" else None
    if already_overdue == "chosen" and chosen is None:
        raise Refused(
            _("Name the day from which what is already overdue bears interest."), code="choose",
            where="already_overdue_from",
        )
    if chosen is not None and chosen > effective_from:
        raise Refused(
            _("The chosen day is not after the day the version begins; choose “from activation” for that."),
            code="after_activation", where="already_overdue_from",
        )
    with transaction.atomic():
        made = Policy.objects.filter(draft=draft.pk, effective_from=effective_from).first()
        if made is not None:
            return made
        draft = _still_open(draft, version)
        old = Policy.objects.filter(name=draft.name).order_by("-effective_from").first()
        if old is None:
            raise Refused(_("There is no policy “%(name)s”.") % {"name": draft.name}, code="no_policy")
        values = read_values(draft.values)
        policy = new_version(
            old, effective_from=effective_from,
            changes={**values, "already_overdue": already_overdue, "already_overdue_from": chosen},
            steps=[read_step(step) for step in draft.steps], on=on, by=by,
        )
        draft.activated = policy
        draft.version += 1
        draft.save(update_fields=["activated", "version", "changed_at"])
        record(by, "policy_draft_activated", draft, summary=f"{policy}; {already_overdue}")
    return policy


def version_of(draft: PolicyDraft, effective_from: dt.date) -> tuple[Policy, list[Step]]:
    """The draft as the version it would be from a day on; nothing of it is saved."""
    policy = Policy(
        name=draft.name, effective_from=effective_from, made_by=draft.made_by, **read_values(draft.values)
    )
    return policy, [Step(**read_step(step)) for step in draft.steps]


def read_values(kept: Mapping[str, Any]) -> dict[str, Any]:
    """What a draft keeps of a policy, as the fields of a version take it; unknown names are left out."""
    return _read(Policy, COPIED, kept)


def read_step(kept: Mapping[str, Any]) -> dict[str, Any]:
    """What a draft keeps of a step, as the fields of a step take it; what is missing is as shipped."""
    return _read(Step, STEP_FIELDS, kept)


def _read(model: type[models.Model], names: Sequence[str], kept: Mapping[str, Any]) -> dict[str, Any]:
    found = {}
    for name in names:
        field = model._meta.get_field(name)
        if name in kept:
            value = kept[name]
            found[name] = value if isinstance(field, models.JSONField) else field.to_python(value)  # type: ignore[union-attr]
        elif field.has_default():  # type: ignore[union-attr]
            found[name] = field.get_default()  # type: ignore[union-attr]
    return found


def _as_json(values: Mapping[str, Any]) -> dict[str, Any]:
    """Dates and times as text, the way they are read again."""
    kept: dict[str, Any] = json.loads(json.dumps(values, cls=DjangoJSONEncoder))
    return kept


def _still_open(draft: PolicyDraft, version: int) -> PolicyDraft:
    """The draft under its lock, where it is as the person saw it."""
    standing = PolicyDraft.objects.select_for_update().filter(pk=draft.pk).first()
    if standing is None or standing.activated_id is not None:
        raise Refused(_("This draft is no longer open: it was activated or thrown away."), code="draft_closed")
    if standing.version != version:
        raise Refused(
            _("Somebody changed this draft meanwhile; load the page again to see how it is now."), code="changed"
        )
    return standing
