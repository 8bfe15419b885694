"""A version of a policy in sentences, as people read it: what each step does, and what holds besides the ladder."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, NamedTuple

from django.apps import apps
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core.errors import Refused
from core.models import Company

from .guard_rails import countries_of, is_message
from .models import Policy, Step
from .quiet_periods import read_period
from .services import rule_of

Values = Mapping[str, Any]
ROLE, STAGE = "role", "stage"


class Said(NamedTuple):
    """What a part of the policy says: its heading and its sentences."""

    heading: str
    sentences: list[str]


def roles() -> dict[str, str]:
    """The people of a client that a step can address, by role."""
    return {code: str(name) for code, name in apps.get_model("clients", "Contact").ROLES}


def stages() -> dict[str, str]:
    """The stages of a client to which a step can move it."""
    known = apps.get_model("collections", "StageChange").STAGES
    return {code: str(name) for code, name in known if code not in ("current", "closed")}


def step_sentences(step: Values, day: dt.date | None) -> list[str]:
    """What a step does, in sentences; ``day`` is the one on which it goes for the sample invoice."""
    said = [_how(step), *_asks(step, day), *_follows(step), *_conditions(step)]
    return [sentence for sentence in said if sentence]


def _how(step: Values) -> str:
    channels, tones = dict(Step.CHANNELS), dict(Step.TONES)
    if step.get("channel") == "call":
        return _("A person calls.")
    if step.get("channel") == "review":
        return _("A person decides how to go on; nothing is sent.")
    channel = str(channels.get(step.get("channel", ""), "") or "…")
    told = {"channel": channel[:1].upper() + channel[1:], "tone": str(tones.get(step.get("tone", ""), "…"))}
    told["to"] = roles().get(step.get("addressee", ""), "…")
    copies: list[str] = []
    if step.get("cc_role"):
        copies.append(roles().get(step["cc_role"], str(step["cc_role"])))
    if step.get("cc_next_contact"):
        copies.append(_("the next contact"))
    copies += [address.strip() for address in str(step.get("recipients") or "").split(",") if address.strip()]
    if copies:
        told["copy"] = ", ".join(copies)
        return _("%(channel)s in a %(tone)s tone to %(to)s, copy to %(copy)s.") % told
    return _("%(channel)s in a %(tone)s tone to %(to)s.") % told


def _asks(step: Values, day: dt.date | None) -> list[str]:
    said = []
    if step.get("attach_invoice"):
        said.append(_("The invoice goes with it again."))
    if step.get("attach_statement") or (is_message(step) and step.get("repeats_every_days")):
        said.append(_("The statement of account goes with it."))
    within = step.get("pay_within_days")
    if within:
        asks = ngettext("Asks to pay within %(days)d day", "Asks to pay within %(days)d days", within)
        said.append(_until(asks % {"days": within}, _("by"), day, within))
    notice = step.get("interest_notice_days")
    if notice:
        says = ngettext(
            "Gives notice of interest from %(days)d day later", "Gives notice of interest from %(days)d days later",
            notice,
        )
        said.append(_until(says % {"days": notice}, _("from"), day, notice))
    if step.get("claims_interest"):
        said.append(_("Claims the interest accrued."))
    if step.get("fee"):
        said.append(_("Charges a fee of %(fee)s.") % {"fee": sums(step["fee"])})
    return said


def _until(words: str, since: str, day: dt.date | None, days: int) -> str:
    """The words, with the day of the sample invoice behind them."""
    return f"{words} ({since} {_day(day + dt.timedelta(days=days))})." if day else f"{words}."


def _follows(step: Values) -> list[str]:
    said = []
    if step.get("also_call"):
        said.append(_("A call on the same day."))
    if step.get("sets_cash_only"):
        said.append(_("The client is cash-only from then on."))
    if step.get("moves_stage_to"):
        stage = stages().get(step["moves_stage_to"], step["moves_stage_to"])
        said.append(_("Moves the client to “%(stage)s”.") % {"stage": stage})
    every = step.get("repeats_every_days")
    if every:
        said.append(ngettext("Again every %(days)d day.", "Again every %(days)d days.", every) % {"days": every})
    return said


def _conditions(step: Values) -> list[str]:
    said = []
    if step.get("mandatory"):
        said.append(_("Mandatory: never skipped, nothing goes before it."))
    if step.get("needs_approval"):
        said.append(_("Waits for a person's approval."))
    if step.get("spacing_exempt"):
        said.append(_("Goes on its day, whatever was sent before."))
    if step.get("only_for"):
        whom = dict(Step._meta.get_field("only_for").flatchoices).get(step["only_for"], step["only_for"])
        said.append(_("Only for: %(whom)s.") % {"whom": whom})
    if step.get("minimum"):
        said.append(_("Only from an overdue sum of %(sums)s.") % {"sums": sums(step["minimum"])})
    return said


def policy_sentences(policy: Policy) -> list[Said]:
    """What a version says besides its ladder, part by part."""
    return [
        Said(_("Whose invoices"), _whose(policy)), Said(_("When messages leave"), _when(policy)),
        Said(_("From which sum"), _sums(policy)), Said(_("Late interest"), _interest(policy)),
        Said(_("Promises and claims to have paid"), _promises(policy)), Said(_("Brakes"), _brakes(policy)),
        Said(_("Finished work"), [_("Is invoiced within %(days)d days.") % {"days": policy.invoice_within_days}]),
    ]  # fmt: skip


def used_by(policy: Policy) -> list[str]:
    """Who has chosen the policy by its name: companies, segments, clients and invoices."""
    found = [str(company) for company in Company.objects.filter(policy_choice__name=policy.name)]
    segments = apps.get_model("policies", "Segment").objects.filter(policy_name=policy.name).select_related("company")
    found += [_("%(segment)s (segment of %(company)s)") % {"segment": s, "company": s.company} for s in segments]
    for label, app, model in (
        (ngettext, "clients", "Client"), (ngettext, "invoices", "Invoice"),
    ):  # fmt: skip
        count = apps.get_model(app, model).objects.filter(policy_name=policy.name).count()
        if count and model == "Client":
            found.append(label("%(n)d client of its own", "%(n)d clients of their own", count) % {"n": count})
        elif count:
            found.append(label("%(n)d invoice of its own", "%(n)d invoices of their own", count) % {"n": count})
    return found


def _whose(policy: Policy) -> list[str]:
    whom = _("consumers") if policy.for_consumers else _("businesses")
    countries = countries_of(policy.jurisdictions)
    if countries:
        return [_("Of %(whom)s in %(countries)s; the rules of these countries are kept.") % {
            "whom": whom, "countries": ", ".join(countries)
        }]
    return [
        _(
            "Of %(whom)s in whatever country; no country's rules were checked, and its fees and days to pay are kept "
            "to those of each client's country."
        ) % {"whom": whom}
    ]


def _when(policy: Policy) -> list[str]:
    said = [
        _("On business days from %(opens)s to %(closes)s, by the clock of the client.") % {
            "opens": f"{policy.window_opens:%H:%M}", "closes": f"{policy.window_closes:%H:%M}"
        },
        _("One message per client and day, at least %(days)d days after the one before.") % {
            "days": policy.spacing_days
        },
        _("What was overdue when it was taken over climbs one step every %(days)d days.") % {
            "days": policy.takeover_spacing_days
        },
    ]
    if policy.quiet_periods:
        periods = "; ".join(_period(period) for period in policy.quiet_periods)
        said.append(_("Nobody is reminded on the quiet days of every year: %(periods)s.") % {"periods": periods})
    return said


def _sums(policy: Policy) -> list[str]:
    least = _("From an overdue sum of %(sums)s; in other currencies from any sum.") % {"sums": sums(policy.minimum)}
    call = _("A call is made from an overdue sum of %(sums)s; what is below is on the list of small sums.") % {
        "sums": sums(policy.call_minimum)
    }
    return [
        least if policy.minimum else _("A message is sent whatever the sum."),
        call if policy.call_minimum else _("A call is made whatever the sum."),
    ]


def _interest(policy: Policy) -> list[str]:
    field = Policy._meta.get_field
    said = [rule_title(policy.interest, policy.effective_from), *_rule_note(policy.interest, policy.effective_from)]
    if policy.interest == "NONE":
        return said
    posted = dict(field("interest_posted").flatchoices).get(policy.interest_posted, "")  # type: ignore[union-attr]
    overdue = dict(field("already_overdue").flatchoices).get(policy.already_overdue, "")  # type: ignore[union-attr]
    if policy.already_overdue == "chosen" and policy.already_overdue_from:
        overdue = _("from %(day)s") % {"day": _day(policy.already_overdue_from)}
    said.append(_("It is posted %(when)s.") % {"when": posted})
    if policy.interest_dropped_under:
        said.append(_("Below %(sums)s it is dropped when the invoice is paid.") % {
            "sums": sums(policy.interest_dropped_under)
        })
    said.append(_("What is overdue when the version begins bears it %(when)s.") % {"when": overdue})
    return said


def _promises(policy: Policy) -> list[str]:
    return [
        _("A client may promise for %(days)d days at the longest, %(times)d times per invoice, and at least "
          "%(percent)d %% of what is open.") % {
            "days": policy.promise_longest_days, "times": policy.promise_most_open,
            "percent": policy.promise_least_percent,
        },
        ngettext(
            "A promise is broken when %(days)d business day has passed after its day.",
            "A promise is broken when %(days)d business days have passed after its day.", policy.promise_grace_days,
        ) % {"days": policy.promise_grace_days},
        _("“I have already paid” stops reminders for %(days)d days.") % {"days": policy.claim_pause_days},
    ]  # fmt: skip


def _brakes(policy: Policy) -> list[str]:
    said = [
        _("More than %(floor)d messages a day, and %(factor)d times the largest day of the last 30, wait for a person.")
        % {"floor": policy.surge_floor, "factor": policy.surge_factor}
    ]
    if policy.bank_data_days is not None:
        said.append(_("No reminder where bank data are older than %(days)d days.") % {"days": policy.bank_data_days})
    return said


def rule_title(code: str, on: dt.date) -> str:
    """A rule of interest as people call it, its code behind."""
    try:
        return f"{rule_of(code, on).title} ({code})."
    except Refused:
        return code


def _rule_note(code: str, on: dt.date) -> list[str]:
    """What a person must see to where a policy goes by a rule, such as a rate that must be printed on the invoice."""
    try:
        note = rule_of(code, on).note
    except Refused:
        return []
    return [note] if note else []


def sums(amounts: Mapping[str, Any]) -> str:
    """Sums per currency: «EUR 250, USD 300»."""
    return ", ".join(f"{code} {amount}" for code, amount in amounts.items())


def _period(period: str) -> str:
    first, last = (dt.date(2028, *day) for day in read_period(period))
    shown = date_format(first, "j F")
    return shown if first == last else _("%(first)s to %(last)s") % {"first": shown, "last": date_format(last, "j F")}


def _day(day: dt.date) -> str:
    return date_format(day, "j M Y")
