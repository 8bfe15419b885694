"""A rule of late interest in words, as the admin shows it and a person checks it against its source."""

from __future__ import annotations

from django.utils.translation import gettext as _

from .interest import Rule


def rule_words(rule: Rule) -> list[tuple[str, str]]:
    """What the rule says, one fact after the other: what it is called, and the words."""
    said = [(_("For"), _for_whom(rule))]
    if rule.charges:
        said += [
            (_("Rate"), _rate(rule)),
            (_("Starts"), _start(rule)),
            (_("Counted"), _counted(rule)),
            (_("Limits"), _limits(rule)),
            (_("A payment goes first to"), _("costs, then interest, then the invoice") if rule.first == "interest"
             else _("the invoice; interest stays owed")),
            (_("While an amount is disputed"), _("interest runs on") if rule.runs_in_dispute
             else _("the disputed amount bears none")),
        ]  # fmt: skip
    else:
        said.append((_("Rate"), _("no interest is charged")))
    said.append((_("Fixed compensation, per late invoice"), _compensation(rule)))
    said.append((_("Source"), rule.source or "—"))
    if rule.note:
        said.append((_("Note"), rule.note))
    return said


def _for_whom(rule: Rule) -> str:
    if rule.for_consumers is None:
        return _("businesses and consumers")
    return _("consumers only") if rule.for_consumers else _("businesses only")


def _rate(rule: Rule) -> str:
    if rule.percent is not None:
        said = _("%(percent)s %% a year") % {"percent": f"{rule.percent:f}"}
    elif not rule.series:
        said = _("as printed in the terms of the invoice")
    else:
        reference = rule.series
        if rule.reference_up_to is not None:
            reference = _("%(series)s, rounded up to the next %(multiple)s,") % {
                "series": rule.series, "multiple": f"{rule.reference_up_to:f}"
            }  # fmt: skip
        said = _("%(reference)s + %(margin)s points, %(when)s") % {
            "reference": reference, "margin": f"{rule.margin:f}",
            "when": _("of the half-year in which interest starts, for good") if rule.which_half_year == "fixed"
            else _("anew at each half-year"),
        }  # fmt: skip
    if rule.legal_maximum is not None:
        said += "; " + _("never more than the legal maximum of %(most)s %%") % {"most": f"{rule.legal_maximum:f}"}
    return said


def _start(rule: Rule) -> str:
    if rule.starts == "notice":
        return _("on the day a notice names")
    if rule.starts == "days":
        return _("%(days)s days after the due date") % {"days": rule.starts_days}
    return _("on the day after the due date, without a reminder")


def _counted(rule: Rule) -> str:
    said: list[str] = [rule.day_count]
    said.append(_("interest on interest, monthly") if rule.compound_monthly else _("simple"))
    said.append(_("the amount of a day rounded first") if rule.rounding == "daily" else _("rounded once, at the end"))
    return ", ".join(said)


def _limits(rule: Rule) -> str:
    said = []
    if rule.grace_days:
        said.append(_("nothing where all is paid within %(days)s days") % {"days": rule.grace_days})
    if rule.cap_percent is not None:
        said.append(_("never more than %(percent)s %% of the claim") % {"percent": f"{rule.cap_percent:f}"})
    return ", ".join(said) or _("none")


def _compensation(rule: Rule) -> str:
    if not rule.compensation:
        return _("none")
    tiers = [
        _("%(sum)s from a claim of %(least)s") % {"sum": f"{lump:f}", "least": f"{least:f}"} if least else f"{lump:f}"
        for least, lump in rule.compensation
    ]
    return f"{rule.compensation_currency} {', '.join(tiers)}"
