"""The answers a client can give beside paying: the form of each, its verb, and what a refusal says to a client."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from ar_collections.services.promising import latest_day_to_promise
from core.dates import show_day
from core.errors import Refused
from core.money import show
from invoices.models import Invoice
from policies.models import Policy

from . import services
from .forms import AnswerForm, ForwardForm, PaidForm, PlanForm, PromiseForm, QueryForm
from .pages import latest_promise


@dataclass(frozen=True)
class Answer:
    """One answer: how its form is made (None: not sent yet; files where it takes one), and the verb for its fields."""

    form: Callable[[Invoice, Policy, dt.date, Any, Any], AnswerForm]
    verb: Callable[..., None]


def _paid(subject: Invoice, policy: Policy, on: dt.date, sent: Any, files: Any) -> AnswerForm:
    return PaidForm(sent, files, owed=subject.balance, currency=subject.currency, today=on)


def _promise(subject: Invoice, policy: Policy, on: dt.date, sent: Any, files: Any) -> AnswerForm:
    latest = latest_promise(subject, policy, on)
    return PromiseForm(
        sent, owed=subject.balance, currency=subject.currency, today=on, latest=latest,
        least=policy.promise_least_percent,
    )


ANSWERS = {
    "paid": Answer(_paid, services.say_paid),
    "promise": Answer(_promise, services.say_when),
    "query": Answer(lambda subject, policy, on, sent, files: QueryForm(sent), services.say_what_is_wrong),
    "plan": Answer(lambda subject, policy, on, sent, files: PlanForm(sent), services.ask_for_a_plan),
    "forward": Answer(lambda subject, policy, on, sent, files: ForwardForm(sent), services.forward),
}


def refusal_to_client(refused: Refused, subject: Invoice, policy: Policy, on: dt.date, language: str) -> str:
    """What a client reads where a verb refuses: in the client's language, with what to do next."""
    company = subject.company
    reach = " / ".join(part for part in (company.phone, company.email) if part)
    latest = show_day(latest_day_to_promise(subject, policy, on), language)
    words = {
        "settled": _("Nothing is owed on this invoice any more."),
        "too_much": _("That is more than is owed: %(amount)s.") % {
            "amount": show(subject.balance, subject.currency, language)
        },
        "amount": _("Write an amount above zero."),
        "past": _("This day has passed. Choose today or a later one."),
        "future": _("This day is still to come. If you will pay then, choose “I will pay on …”."),
        "too_late": _("The latest day you can choose here is %(day)s. For a later one please get in touch: %(reach)s")
        % {"day": latest, "reach": reach},
        "too_many": _("You have given us a day before. Please get in touch, and we will find a way: %(reach)s")
        % {"reach": reach},
        "address": _("Write one e-mail address, such as name@example.com."),
        "too_many_colleagues": _("You have passed invoices on to several addresses today. Try again tomorrow."),
        "too_many_files": _("That were many files today. Send further ones by e-mail: %(reach)s") % {"reach": reach},
        "type": _("We cannot keep this file. Choose one of these: %(types)s.") % {"types": "JPEG, PDF, PNG"},
    }
    return words.get(refused.code, refused.message)
