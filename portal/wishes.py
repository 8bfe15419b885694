"""«What would help your team pay faster?»: asked from an invoice's page or by a link of its own, kept in the file."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from clients.models import Wishes
from clients.services.wishes import LONGEST, LONGEST_LABEL, LONGEST_VALUE, MOST_FIELDS
from core.errors import Refused
from core.services import today
from invoices.models import ShareLink

from .colours import is_readable
from .door import back_to, behind, is_staff, slow_down
from .door import private_page as behind_invoice
from .forms import AnswerForm, UploadField
from .limits import too_many
from .services import tell_wishes
from .views import ANSWERS_AT_MOST, address_of_page, mark_too_large

private_page = behind("wishes")
FIELDS = range(1, MOST_FIELDS + 1)
EMPTY_ROWS = 3
FORM_TYPES = (".pdf", ".docx", ".png", ".jpg", ".jpeg")
FORMS_AT_MOST = 5  # of a client within a day: every one of them is kept
A_DAY = 86400


class WishesForm(AnswerForm):
    """What the client's office asks of our invoices."""

    po_required = forms.BooleanField(
        label=gettext_lazy("Every invoice needs our order number"), required=False
    )
    cover_page = forms.BooleanField(label=gettext_lazy("Put a cover page before each invoice"), required=False)
    cover_text = forms.CharField(
        label=gettext_lazy("On the cover page"), required=False, max_length=LONGEST["cover_text"]
    )
    own_form = UploadField(
        label=gettext_lazy("A form of your own that goes with it"), types=FORM_TYPES,
        help_text=gettext_lazy("PDF, Word or picture, at most 10 MB"),
    )
    note = forms.CharField(
        label=gettext_lazy("What else helps"), required=False, max_length=LONGEST["note"],
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, answer="wishes", **options)
        for n in FIELDS:
            self.fields[f"label_{n}"] = forms.CharField(label=_("Field"), required=False, max_length=LONGEST_LABEL)
            self.fields[f"value_{n}"] = forms.CharField(label=_("Says"), required=False, max_length=LONGEST_VALUE)

    @property
    def pairs(self) -> list[tuple[Any, Any]]:
        """The fields to print, each with its two boxes: those in use, and one more."""
        used = [n for n in FIELDS if self[f"label_{n}"].value() or self[f"value_{n}"].value()]
        shown = FIELDS[: max(EMPTY_ROWS, max(used, default=0) + 1)]
        return [(self[f"label_{n}"], self[f"value_{n}"]) for n in shown]

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        for n in FIELDS:
            if given.get(f"value_{n}") and not given.get(f"label_{n}"):
                self.add_error(f"label_{n}", _("Write what this field is called."))
        return given

    def facts(self) -> dict[str, Any]:
        """What is told, as the client's file keeps it."""
        given = self.cleaned_data
        pairs = [(given[f"label_{n}"], given[f"value_{n}"]) for n in FIELDS]
        return {
            **{name: given[name] for name in ("po_required", "cover_page", "cover_text", "note")},
            "extra_fields": [{"label": label, "value": value} for label, value in pairs if label],
        }


@private_page
def wishes(request: HttpRequest, link: ShareLink, token: str) -> HttpResponseBase:
    """The page of a link of its own."""
    address = reverse("portal:wishes", args=[link.pk, token])
    return _asked(request, link, address, address)


@behind_invoice
def from_invoice(request: HttpRequest, link: ShareLink, token: str) -> HttpResponseBase:
    """The same page, come to from an invoice; whoever got the invoice passed on speaks for nobody here."""
    back = address_of_page(link, token)
    if link.passed_on_to:
        return back_to(request, back)
    return _asked(request, link, f"{back}wishes/", back)


def _asked(request: HttpRequest, link: ShareLink, address: str, back: str) -> HttpResponseBase:
    if request.method != "POST" or is_staff(request):
        return _page(request, link, address, back, WishesForm(initial=_kept(link)))
    if "key" not in request.POST:  # a fresh link was asked for on a page that has opened again meanwhile
        return back_to(request, address)
    if too_many("answer", str(link.pk), ANSWERS_AT_MOST):
        return slow_down(request, is_right=True)
    form = WishesForm(request.POST, request.FILES)
    mark_too_large(request, form)
    if form.is_valid():
        file = form.cleaned_data["own_form"]
        if file and too_many("wish-form", str(link.client_id), FORMS_AT_MOST, A_DAY):
            form.add_error("own_form", _("That were many files today. Send further ones by e-mail."))
        else:
            try:
                tell_wishes(
                    link, form.facts(), file, key=str(form.cleaned_data["key"]),
                    on=today(link.client.company), at=timezone.now(),
                )
                return back_to(request, address, "#told")
            except Refused:
                form.add_error(None, _("Something here cannot be kept. Please make it shorter, or write to us."))
    return _page(request, link, address, back, form)


def _page(request: HttpRequest, link: ShareLink, address: str, back: str, form: WishesForm) -> HttpResponse:
    company, kept = link.client.company, Wishes.objects.filter(client=link.client).first()
    language = get_language() or "en"
    context = {
        "who": {
            "company": company.name, "initial": company.name[:1].upper(), "accent": company.accent,
            "email": company.email, "phone": company.phone, "client": link.client.name,
        },
        "form": form, "address": address, "back": "" if back == address else back, "is_staff": is_staff(request),
        "told_at": kept.told_at if kept else None, "own_form_name": kept.own_form_name if kept else "",
        "brand": company.accent[1:] if is_readable(company.accent[1:]) else "",
        "query": f"?lang={language}" if request.GET.get("lang") else "",
    }  # fmt: skip
    return render(request, "portal/wishes.html", context, status=422 if form.is_bound else 200)


def _kept(link: ShareLink) -> dict[str, Any]:
    """What the file says already, so that it is changed and not written twice."""
    kept = Wishes.objects.filter(client=link.client).first()
    begun: dict[str, Any] = {"po_required": link.client.po_required}
    if kept is not None:
        begun |= {name: getattr(kept, name) for name in ("cover_page", "cover_text", "note")}
        for n, pair in zip(FIELDS, kept.extra_fields, strict=False):
            begun |= {f"label_{n}": pair["label"], f"value_{n}": pair["value"]}
    return begun
