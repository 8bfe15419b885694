"""Credit terms: read as the client reads them, followed by new versions; and the occasions on which we greet."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit.admin import AuditedAdmin, ReadOnlyAdmin
from core.errors import Refused
from core.models import LANGUAGES, Company
from core.services import today

from .credit_terms import TEXTS, latest_terms, new_terms_version, next_terms, sections_of, terms_in_force
from .models import CreditTerms, Occasion
from .occasions import check_occasion


class TermsVersionForm(forms.ModelForm[CreditTerms]):
    """A version to be published: from when, and the words in every language."""

    effective_from = forms.DateField(
        label=gettext_lazy("Effective from"), widget=forms.DateInput(attrs={"type": "date"}),
        help_text=gettext_lazy("The first version may begin today. Give clients time to read a later one."),
    )

    class Meta:
        model = CreditTerms
        fields = ["effective_from", *TEXTS]
        widgets = {name: forms.Textarea(attrs={"rows": 22, "cols": 90}) for name in TEXTS if name.startswith("text")}


@admin.register(CreditTerms)
class CreditTermsAdmin(ReadOnlyAdmin):
    list_display = ["title_en", "company", "effective_from", "accepted_by", "made_by", "made_at"]
    list_filter = ["company"]
    change_list_template = "admin/policies/creditterms/list.html"

    @admin.display(description=gettext_lazy("accepted by clients"))
    def accepted_by(self, terms: CreditTerms) -> int:
        return int(terms.acceptances.count())

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.publish_view)
        return [path("publish/<int:pk>/", view, name="policies_creditterms_publish"), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        may = request.user.has_perm("policies.add_creditterms")
        companies = [(company, latest_terms(company)) for company in Company.objects.all()] if may else []
        return super().changelist_view(request, {**(extra_context or {}), "companies": companies})

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """A version as clients read it, in every language."""
        terms = self.get_object(request, object_id)
        if terms is None:
            raise Http404
        if not self.has_view_permission(request, terms):
            raise PermissionDenied
        texts = [
            (code, name, terms.title(code), sections_of(terms.text(code))) for code, name in LANGUAGES
        ]
        return TemplateResponse(request, "admin/policies/creditterms/read.html", {
            **self._frame(request), "title": terms.title_en, "terms": terms, "texts": texts,
            "is_in_force": terms == terms_in_force(terms.company, today(terms.company)),
            "accepted": terms.acceptances.count(),
        })  # fmt: skip

    def publish_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The next version of a company, ready to be read, changed and published."""
        if not request.user.has_perm("policies.add_creditterms"):
            raise PermissionDenied
        company = get_object_or_404(Company, pk=pk)
        on, latest = today(company), latest_terms(company)
        form = TermsVersionForm(request.POST or None, initial={**next_terms(company), "effective_from": on})
        if request.method == "POST" and form.is_valid():
            try:
                made = new_terms_version(
                    company, {name: form.cleaned_data[name] for name in TEXTS}, on=on, by=request.user,
                    effective_from=form.cleaned_data["effective_from"],
                )
            except Refused as refused:
                form.add_error(refused.where if refused.where in form.fields else None, refused.message)
            else:
                messages.success(request, _("Published: %(terms)s of %(company)s. Now send them to your clients.") % {
                    "terms": made, "company": company.name
                })
                return redirect(reverse("admin:policies_creditterms_change", args=[made.pk]))
        return TemplateResponse(request, "admin/policies/creditterms/publish.html", {
            **self._frame(request), "title": _("Credit terms of %(name)s") % {"name": company.name}, "form": form,
            "company": company, "latest": latest,
        })  # fmt: skip

    def _frame(self, request: HttpRequest) -> dict[str, Any]:
        return {**self.admin_site.each_context(request), "opts": self.opts}


class OccasionForm(forms.ModelForm[Occasion]):
    """An occasion that falls, with words that every greeting knows."""

    class Meta:
        model = Occasion
        fields = "__all__"

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if not self.errors:
            try:
                check_occasion(given)
            except Refused as refused:
                self.add_error(refused.where or None, refused.message)
        return given


@admin.register(Occasion)
class OccasionAdmin(AuditedAdmin):
    form = OccasionForm
    list_display = ["name", "company", "rule", "month", "day", "days_before", "countries", "is_active"]
    list_filter = ["company", "is_active"]
    fieldsets = [
        (None, {"fields": ["company", "code", "name", "is_active"]}),
        (
            gettext_lazy("When"),
            {"fields": ["rule", "month", "day", "nth", "weekday", "days_before", "countries"]},
        ),
        (
            gettext_lazy("Words"),
            {
                "fields": ["subject_en", "text_en", "subject_de", "text_de", "subject_fr", "text_fr"],
                "description": gettext_lazy(
                    "The greeting begins with the name of the person. In braces may stand {name}, {client}, "
                    "{company}, {label} (what a client's own day is called) and {years}; a paragraph with {years} is "
                    "left out where the year is not known."
                ),
            },
        ),
    ]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whom it reached is kept: an occasion that was used is put out of use instead."""
        return super().has_delete_permission(request, obj) and not (obj and obj.greetings.exists())
