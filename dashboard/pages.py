"""The one page on which every short question is asked: a heading, a form, two buttons."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.forms import BaseForm
from django.http import HttpResponse
from django.shortcuts import render

from .desk import StaffRequest

Crumbs = Sequence[tuple[str, str]]


def form_page(
    request: StaffRequest, form: BaseForm, heading: str, *, crumbs: Crumbs = (), lead: str = "",
    template: str = "dashboard/form.html", **shown: Any,
) -> HttpResponse:  # fmt: skip
    """Ask; a refusal is answered with 422, so that nobody takes it for done."""
    refused = form.is_bound and bool(form.errors)
    shown |= {"form": form, "heading": heading, "crumbs": crumbs, "lead": lead}
    return render(request, template, shown, status=422 if refused else 200)
