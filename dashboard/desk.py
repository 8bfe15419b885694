"""The desk of every staff page: who sits there, for which company, on what day. The pages' door and their clock."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import user_passes_test
from django.contrib.auth.models import User
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme

from core.errors import Refused
from core.models import Company
from core.services import today

CHOSEN = "company"


@dataclass(frozen=True)
class Desk:
    """The company looked at, the ones there are, the present instant and the company's date."""

    company: Company
    companies: list[Company]
    now: dt.datetime
    on: dt.date


class StaffRequest(HttpRequest):
    """A request that came through the desk."""

    desk: Desk
    user: User


def staff_page(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Only members of staff come in; they find the desk of the company they chose last."""

    @wraps(view)
    def at_desk(request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        companies = list(Company.objects.all())
        if not companies:
            return render(request, "dashboard/no_company.html", status=503)
        now = timezone.now()
        chosen = request.session.get(CHOSEN)
        company = next((c for c in companies if c.pk == chosen), companies[0])
        request.desk = Desk(company, companies, now, today(company, now))
        return view(request, *args, **kwargs)

    return user_passes_test(lambda user: user.is_active and user.is_staff)(at_desk)


def choose_company(request: StaffRequest) -> HttpResponse:
    """Look at another company from now on."""
    chosen = next((c for c in request.desk.companies if str(c.pk) == request.POST.get("company")), None)
    if chosen is not None:
        sit_down(request, chosen)
    return redirect("dashboard:today")


def sit_down(request: HttpRequest, company: Company) -> None:
    """From now on this session looks at that company."""
    request.session[CHOSEN] = company.pk


@contextmanager
def refusals_on(form: BaseForm) -> Iterator[None]:
    """A verb's refusal becomes an error of the form: at the field it names, else above all fields."""
    try:
        yield
    except Refused as refused:
        form.add_error(refused.where if refused.where in form.fields else None, refused.message)


@contextmanager
def refusals_said(request: HttpRequest) -> Iterator[None]:
    """A verb's refusal becomes a banner on the page one returns to."""
    try:
        yield
    except Refused as refused:
        messages.error(request, refused.message)


def row_number(said: str) -> int:
    """The number of a row as a form or an address names it; 0, which no row has, where it cannot be one.

    >>> row_number("12"), row_number("-1"), row_number("9" * 5000)
    (12, 0, 0)
    """
    return int(said) if said.isascii() and said.isdecimal() and len(said) < 19 else 0


def back(request: HttpRequest, otherwise: str, *args: Any) -> HttpResponseRedirect:
    """To the page the form names in ``next``, where it is one of ours; otherwise to the page named."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    if url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure()):
        return HttpResponseRedirect(wanted)
    answer: HttpResponseRedirect = redirect(otherwise, *args)
    return answer
