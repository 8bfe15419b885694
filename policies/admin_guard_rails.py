"""The guard-rails of countries in the admin: a list with sources; a newer row of a code takes the older one's place."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit.admin import ReadOnlyAdmin
from core.errors import Refused
from core.services import today

from .guard_rails import read_value, show_value
from .models import GuardRail
from .services.guard_rails import add_rail, check_rail, end_rail, standing_rails


class RailForm(forms.ModelForm[GuardRail]):
    """A rule of a country, its value written as people write it."""

    value = forms.CharField(
        label=gettext_lazy("Value"), required=False, max_length=200,
        widget=forms.TextInput(attrs={"class": "vTextField"}),
        help_text=gettext_lazy(
            "Days or a number: 14. Sums: NOK 35, EUR 5. Hours: 08:00 to 21:00. Percent: 12.5. Words that a mandatory "
            "notice must say: inkasso, collection; that must stand on the invoice: invoice: 40. Nothing for the others."
        ),
    )  # fmt: skip

    class Meta:
        model = GuardRail
        fields = ["country", "code", "kind", "value", "for_consumers", "name", "says", "source", "as_of"]
        widgets = {
            "as_of": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
            **{name: forms.TextInput(attrs={"class": "vTextField"}) for name in ("name", "says", "source")},
        }
        help_texts = {
            "country": gettext_lazy("Two letters, such as NO; EU for every member state."),
            "code": gettext_lazy("A row with the country and code of an older one takes its place."),
            "source": gettext_lazy("Where it stands: the law and its paragraph, or the address of the page."),
            "as_of": gettext_lazy("The day on which somebody looked it up."),
        }

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or self.cleaned_data
        if self.errors:
            return given
        try:
            given["value"] = read_value(given["kind"], given["value"])
        except ValueError:
            given["value"] = {"": None}  # which no kind takes
        names = ("country", "kind", "value", "name", "source", "as_of")
        try:
            check_rail(**{name: given[name] for name in names}, on=today(None))
        except Refused as refused:
            self.add_error(refused.where, refused.message)
        return given


class EndForm(forms.Form):
    """Why a rule does not hold any more."""

    because = forms.CharField(
        label=gettext_lazy("Why it does not hold any more, or where that stands"), max_length=300,
        widget=forms.TextInput(attrs={"class": "vTextField"}),
    )


@admin.register(GuardRail)
class GuardRailAdmin(ReadOnlyAdmin):
    list_display = ["name", "country", "kind", "shown_value", "says", "source", "as_of", "holds", "made_by"]
    list_filter = ["country", "kind"]
    search_fields = ["country", "code", "name", "says", "source"]
    change_form_template = "admin/policies/guardrail/read.html"
    exclude = ["value"]
    readonly_fields = ["shown_value", "made_by", "made_at"]

    @admin.display(description=gettext_lazy("value"))
    def shown_value(self, row: GuardRail) -> str:
        return show_value(row.kind, row.value) or "—"

    @admin.display(description=gettext_lazy("holds today"), boolean=True)
    def holds(self, row: GuardRail) -> bool:
        return row.pk in {standing.pk for standing in standing_rails()}

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.has_perm("policies.add_guardrail"))

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        return RailForm if obj is None else super().get_form(request, obj, change, **kwargs)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return RailForm.Meta.fields if obj is None else super().get_fields(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return () if obj is None else super().get_readonly_fields(request, obj)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.end_view)
        return [path("<int:pk>/end/", view, name="policies_guardrail_end"), *super().get_urls()]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        given = {name: form.cleaned_data[name] for name in RailForm.Meta.fields}
        obj.pk = add_rail(**given, on=today(None), by=request.user).pk

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        row = self.get_object(request, object_id)
        may = row is not None and self.holds(row) and self.has_add_permission(request)
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), "may_follow": may})

    def end_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask why a rule holds no longer, and end it by a row that says so."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        row = self.get_object(request, str(pk))
        if row is None:
            raise Http404
        form = EndForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                end_rail(row, because=form.cleaned_data["because"], on=today(None), by=request.user)
            except Refused as refused:
                form.add_error("because" if refused.where == "because" else None, refused.message)
            else:
                messages.success(request, _("“%(name)s” does not hold any more.") % {"name": row})
                return redirect(reverse("admin:policies_guardrail_changelist"))
        return TemplateResponse(request, "admin/policies/guardrail/end.html", {
            **self.admin_site.each_context(request), "opts": self.opts, "rail": row, "form": form,
            "title": _("Take “%(name)s” out of force") % {"name": row},
        }, status=422 if form.errors else 200)  # fmt: skip
