"""The set-up page: five questions behind a one-time link, kept in the session until the last is answered."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, NamedTuple

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from arledger.installed import write_installed
from core.services import today
from dashboard.desk import refusals_on
from policies.credit_terms import sections_of, shipped_terms
from policies.ladder import DEFAULT_LADDER
from policies.step_days import step_day

from .forms import AccountForm, BankForm, CompanyForm, MailForm, TermsForm
from .mail_test import try_mail
from .services import Answers, is_setup_token, set_up

KEPT = "setup"


class Step(NamedTuple):
    name: str
    title: str | Promise
    lead: str | Promise
    form: Callable[..., Any]


STEPS = (
    Step(
        "company", gettext_lazy("Your company"), gettext_lazy("This stands at the head of every invoice."), CompanyForm
    ),
    Step(
        "bank", gettext_lazy("Your bank account"),
        gettext_lazy("Where your clients transfer to. An IBAN, or an account number with its routing number."),
        BankForm,
    ),
    Step(
        "mail", gettext_lazy("Address and mail"),
        gettext_lazy("Settings in the environment or in .env come before what you write here."), MailForm,
    ),
    Step(
        "policy", gettext_lazy("Terms and reminders"),
        gettext_lazy("Set out beforehand, kept by itself. Every date below can be changed later, version by version."),
        TermsForm,
    ),
    Step(
        "account", gettext_lazy("Your account"),
        gettext_lazy("You are the first administrator; others follow in the settings."), AccountForm,
    ),
)  # fmt: skip
NAMES = [step.name for step in STEPS]


def behind_token(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Only the latest, unused, fresh link opens the page; every other one gets the same answer."""

    @never_cache
    @wraps(view)
    def opened(request: HttpRequest, token: str, **kwargs: Any) -> HttpResponse:
        if not is_setup_token(token, timezone.now()):
            return render(request, "setup/shut.html", status=404)
        return view(request, token, **kwargs)

    return opened


@behind_token
def setup(request: HttpRequest, token: str) -> HttpResponse:
    kept = request.session.get(KEPT, {})
    return redirect("setup_step", token, next((name for name in NAMES if name not in kept), NAMES[-1]))


@behind_token
def setup_step(request: HttpRequest, token: str, name: str) -> HttpResponse:
    if name not in NAMES:
        return redirect("setup", token)
    step = STEPS[NAMES.index(name)]
    kept = request.session.get(KEPT, {})
    form = step.form(request.POST or None, initial=_begins_with(name, kept))
    shown: dict[str, Any] = {
        "step": step,
        "steps": STEPS,
        "number": NAMES.index(name) + 1,
        "token": token,
        "kept": kept,
    }
    if request.method == "POST" and form.is_valid():
        if "try" in request.POST and name == "mail":
            shown["outcome"] = _try(form)
        elif "show" not in request.POST:
            if name != NAMES[-1]:
                request.session[KEPT] = kept | {name: _plain(request.POST)}
                return redirect("setup_step", token, NAMES[NAMES.index(name) + 1])
            return _finish(request, token, form, kept, shown)
    if name == "policy":
        shown |= _ladder(form)
    return render(request, "setup/step.html", shown | {"form": form})


def _finish(
    request: HttpRequest, token: str, form: AccountForm, kept: dict[str, Any], shown: dict[str, Any]
) -> HttpResponse:
    answered = {step.name: step.form(kept.get(step.name, {})) for step in STEPS[:-1]}
    for name, earlier in answered.items():
        if not earlier.is_valid():
            return redirect("setup_step", token, name)
    given = form.cleaned_data
    with refusals_on(form):
        set_up(
            token,
            Answers(
                company=answered["company"].cleaned_data,
                bank=answered["bank"].cleaned_data,
                **answered["policy"].cleaned_data,
                username=given["username"],
                full_name=given["full_name"],
                email=given["email"],
                password=given["password"],
            ),
            now=timezone.now(),
        )
        del request.session[KEPT]
        settled = answered["mail"].to_install()
        if settled:
            write_installed(settings.INSTALLED_ENV, settled)
        address = settled.get("PUBLIC_URL", "")
        return render(
            request, "setup/done.html", {"settled": bool(settled), "address": address, "name": given["username"]}
        )
    return render(request, "setup/step.html", shown | {"form": form})


def _begins_with(name: str, kept: dict[str, Any]) -> dict[str, Any]:
    """What the person wrote before, else what is likely."""
    likely: dict[str, Any] = {}
    if name == "mail":
        likely = {"public_url": settings.PUBLIC_URL}
    if name == "bank" and "company" in kept:
        likely = {"holder": kept["company"].get("legal_name", "")}
    before: dict[str, Any] = kept.get(name, {})
    return likely | before


def _plain(posted: Mapping[str, Any]) -> dict[str, str]:
    return {key: value for key, value in posted.items() if key != "csrfmiddlewaretoken"}


def _try(form: MailForm) -> Any:
    if form.cleaned_data["way"] != "smtp" or not form.cleaned_data["test_to"]:
        form.add_error("test_to", _("Choose the mail server above and say whom the test goes to."))
        return None
    return try_mail(
        form.server(),
        form.cleaned_data["sender"],
        form.cleaned_data["test_to"],
        _("This is a test from AR Ledger. Mail from here arrives."),
    )


def _ladder(form: TermsForm) -> dict[str, Any]:
    """The ladder as it comes, on the calendar of an invoice issued today under these terms."""
    issued_on = today(None)
    valid = form.is_bound and form.is_valid()
    net_days = form.cleaned_data["net_days"] if valid else int(form.initial.get("net_days") or 30)
    due_on = issued_on + dt.timedelta(days=net_days)
    rows = [(step, step_day(step.offset_days, issued_on, due_on)) for step in DEFAULT_LADDER]
    terms, language = shipped_terms(), (get_language() or "en")[:2]
    return {
        "ladder": rows,
        "issued_on": issued_on,
        "due_on": due_on,
        "terms_title": terms[f"title_{language}"],
        "terms": sections_of(terms[f"text_{language}"]),
    }
