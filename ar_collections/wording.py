"""What a reminder says, step by step, in the words of the active language; the same words for mail and letter."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from policies.models import Step

MANNERS = ("before_due", "friendly", "plain", "firm", "reissue", "final", "statement")


@dataclass(frozen=True)
class Facts:
    """What the words are made of: amounts, days and percentages already written for the reader."""

    count: int
    number: str
    total: str
    due: str
    oldest_due: str
    pay_by: str = ""
    interest_notice: str = ""
    may_charge: bool = False
    interest: str = ""
    copied: bool = False
    by_post: bool = False
    entitled: str = ""
    compensation: str = ""
    fees: str = ""
    cash_only: bool = False
    may_be_cash_only: bool = False
    may_be_handed_over: bool = True
    reminders_before: int = 0
    owed: str = ""
    all_in: str = ""


def manner_of(step: Step) -> str:
    """How a step speaks: by what it does, then by its tone."""
    if step.offset_days < 0:
        return "before_due"
    if step.repeats_every_days:
        return "statement"
    if step.attach_invoice:
        return "reissue"
    if step.tone == "formal" or step.claims_interest:
        return "final"
    if step.tone in ("firm", "plain"):
        return step.tone
    return "friendly"


def subject_of(manner: str, facts: Facts) -> str:
    """The subject of the mail and of the letter."""
    n = facts.count
    words = {
        "before_due": ngettext(
            "Invoice %(number)s is due on %(due)s: %(total)s", "%(count)d invoices fall due soon: %(total)s", n
        ),
        "friendly": ngettext(
            "Invoice %(number)s was due on %(due)s: %(total)s", "%(count)d invoices are past due: %(total)s", n
        ),
        "plain": _("Reminder: %(total)s overdue"),
        "firm": _("Second reminder: %(total)s overdue") if facts.reminders_before == 1
        else _("Reminder: %(total)s overdue"),
        "reissue": ngettext(
            "Invoice %(number)s sent again: please pay %(total)s",
            "%(count)d invoices sent again: please pay %(total)s", n
        ),
        "final": _("Final notice: %(total)s, to be paid by %(pay_by)s") if facts.pay_by
        else _("Final notice: %(total)s"),
        "statement": _("Statement of account: %(total)s open"),
    }[manner]
    return words % {
        "number": facts.number, "total": facts.total, "due": facts.due, "pay_by": facts.pay_by, "count": facts.count
    }


def paragraphs_of(manner: str, facts: Facts) -> list[str]:
    """What is said before the list of items, paragraph by paragraph."""
    f = {
        "total": facts.total if manner == "statement" else facts.owed or facts.total,
        "due": facts.due, "oldest": facts.oldest_due, "pay_by": facts.pay_by,
        "interest_notice": facts.interest_notice, "interest": facts.interest, "compensation": facts.compensation,
        "fees": facts.fees, "all_in": facts.all_in,
    }
    said = {
        "before_due": _before_due, "friendly": _friendly, "plain": _plain, "firm": _firm, "reissue": _reissue,
        "final": _final, "statement": _statement,
    }[manner](facts)
    first, *rest = said
    return [text % f for text in [first, all_in_words() if facts.all_in else "", *rest, fee_words(facts)] if text]


def _before_due(facts: Facts) -> list[str]:
    return [
        ngettext(
            "A short look ahead: %(total)s is due on %(due)s.",
            "A short look ahead: %(total)s falls due, the first of it on %(oldest)s.", facts.count,
        ),
        _(
            "If anything stands in the way, such as a missing order number or a question about the amount, tell us now "
            "and we will sort it out in time."
        ),
    ]


def _friendly(facts: Facts) -> list[str]:
    return [
        ngettext(
            "%(total)s was due on %(due)s and has not reached us yet.",
            "%(total)s is past due and has not reached us yet.", facts.count,
        ),
        _("This may have crossed with your payment; then there is nothing to do, and thank you."),
        _("Is anything holding it up? Tell us, and we will help."),
    ]


def _plain(facts: Facts) -> list[str]:
    return [
        _overdue_since(facts),
        _("Please pay by %(pay_by)s, or tell us on which day we may expect the payment.") if facts.pay_by
        else _("Please pay, or tell us on which day we may expect the payment."),
        _("If you have paid in the last days, please disregard this reminder."),
    ]


def _overdue_since(facts: Facts) -> str:
    return ngettext(
        "%(total)s is overdue since %(due)s.",
        "%(total)s is overdue, the oldest item since %(oldest)s.", facts.count
    )


def _firm(facts: Facts) -> list[str]:
    second = ngettext(
        "This is our second reminder: %(total)s is overdue since %(due)s.",
        "This is our second reminder: %(total)s is overdue, the oldest item since %(oldest)s.", facts.count,
    )
    return [
        second if facts.reminders_before == 1 else _overdue_since(facts),
        _("Please pay by %(pay_by)s. If you cannot, tell us today what prevents it, and we look for a way with you.")
        if facts.pay_by
        else _("Please pay. If you cannot, tell us today what prevents it, and we look for a way with you."),
        _may_bear_interest(facts),
        _("If it stays unpaid, new orders may have to be paid in advance.") if facts.may_be_cash_only else "",
        _("A colleague of yours receives a copy of this message.") if facts.copied else "",
    ]


def _may_bear_interest(facts: Facts) -> str:
    """By law it is owed already and may still be left; by contract no figure and no day before the notice."""
    if facts.entitled:
        return facts.entitled.replace("%", "%%")
    return _("On what stays unpaid, interest may be charged as the terms of the invoice say.") * facts.may_charge


def fee_words(facts: Facts) -> str:
    """A fee is said where it is charged, whatever the tone."""
    return _("For this reminder a fee of %(fees)s is charged.") if facts.fees else ""


def _reissue(facts: Facts) -> list[str]:
    return [
        ngettext(
            "%(total)s is still unpaid; it was due on %(due)s. You find the invoice attached once more.",
            "%(total)s is still unpaid. You find the invoices attached once more.", facts.count,
        ),
        pay_by_words() if facts.pay_by else "",
        "%(interest_notice)s" if facts.interest_notice else facts.entitled.replace("%", "%%"),
        cash_only_words() if facts.cash_only else "",
        _("If you cannot pay all of it at once, ask us for a payment plan."),
    ]


def all_in_words() -> str:
    """What is asked for in all, where a message speaks of some of it and lists the rest."""
    return _("With what else is listed below, %(all_in)s is open.")


def pay_by_words() -> str:
    """By when it is to be paid."""
    return _("Please pay by %(pay_by)s.")


def interest_words(day: str, percent: str, *, is_running: bool) -> str:
    """From which day interest is charged: a day still to come, or one since which it is charged already.

    ``percent`` is the one printed in the terms; without one the words name none.
    """
    if is_running:
        return _("Interest is charged from %(day)s.") % {"day": day}
    if not percent:
        return _("On what is still unpaid on %(interest_from)s interest is charged from that day.") % {
            "interest_from": day
        }
    notice = _(
        "On what is still unpaid on %(interest_from)s interest is charged from that day, at %(percent)s a year as "
        "printed in the terms."
    )
    return notice % {"interest_from": day, "percent": percent}


def entitled_words(day: str, pay_by: str) -> str:
    """Interest that the law gives from the first day late: since when it is owed, and by when it is not claimed."""
    if not pay_by:
        return _("By law we are entitled to interest for late payment since %(day)s.") % {"day": day}
    words = _(
        "By law we are entitled to interest for late payment since %(day)s; we claim it unless you pay by %(pay_by)s."
    )
    return words % {"day": day, "pay_by": pay_by}


def cash_only_words() -> str:
    """What follows for new orders until all is paid."""
    return _("Until everything that is overdue is paid, we take new orders against payment in advance.")


def _final(facts: Facts) -> list[str]:
    return [
        ngettext(
            "In spite of our reminders %(total)s has not been paid; it was due on %(due)s.",
            "In spite of our reminders %(total)s has not been paid; the oldest item was due on %(oldest)s.",
            facts.count,
        ) if facts.reminders_before > 1 else _overdue_since(facts),
        _("This is our final notice. We expect your payment by %(pay_by)s.") if facts.pay_by
        else _("This is our final notice. We expect your payment now."),
        claims_words(facts),
        cash_only_words() if facts.cash_only else "",
        _(
            "After that day we decide how to go on; handing the claim to a collection agency or an attorney is one of "
            "the possibilities. Until then we are glad to agree on a payment plan with you."
        )
        if facts.may_be_handed_over
        else _("After that day we decide how to go on. Until then we are glad to agree on a payment plan with you."),
        _("You also receive this notice as a letter by post.") if facts.by_post else "",
    ]


def claims_words(facts: Facts) -> str:
    """What is claimed for paying late, with where to see how it comes about."""
    if facts.interest and facts.compensation:
        return _(
            "For late payment we also claim interest of %(interest)s and a fixed compensation of %(compensation)s; "
            "below you see how they are worked out."
        )
    if facts.compensation:
        return _("For late payment we also claim a fixed compensation of %(compensation)s.")
    if facts.interest:
        return _("For late payment we also claim interest of %(interest)s; below you see how it is worked out.")
    return ""


def _statement(facts: Facts) -> list[str]:
    return [
        _("This is what is open on your account: %(total)s. The statement is attached."),
        _("Please pay, or tell us what stands in the way."),
    ]
