"""Segments of clients, and which policy each of them has; the policy of a company is chosen here too.

Another choice holds from the company's today on.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db import transaction
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit.admin import AuditedAdmin
from core.services import latest_today, today

from .models import CompanyPolicy, Segment
from .services.choices import keep_choice, segment_goes
from .services.versions import policies_to_choose, use_policy


def policy_choices(kept: str, nobody: str | None = None) -> list[tuple[str, str]]:
    """The policies in force, the one that is chosen already among them, and none where that is possible."""
    found = policies_to_choose(latest_today())
    if kept and kept not in dict(found):
        found.append((kept, _("%(name)s (not in force)") % {"name": kept}))
    return found if nobody is None else [("", nobody), *found]


class SegmentForm(forms.ModelForm[Segment]):
    """A segment, with the policies in force to choose from."""

    policy_name = forms.ChoiceField(
        label=gettext_lazy("Policy"), required=False,
        help_text=gettext_lazy(
            "By which its clients are reminded, unless a client or an invoice has its own. Another one holds from "
            "today on; days that have passed bear interest by the one they had."
        ),
    )  # fmt: skip

    class Meta:
        model = Segment
        fields = ["company", "name", "policy_name"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["policy_name"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = policy_choices(self.instance.policy_name, _("The company's"))


class CompanyPolicyForm(forms.ModelForm[CompanyPolicy]):
    """The policy of a company, chosen from those in force."""

    name = forms.ChoiceField(
        label=gettext_lazy("Policy"),
        help_text=gettext_lazy(
            "Another one holds from today on; days that have passed bear interest by the one they had."
        ),
    )

    class Meta:
        model = CompanyPolicy
        fields = ["company", "name"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["name"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = policy_choices(self.instance.name)


@admin.register(Segment)
class SegmentAdmin(AuditedAdmin):
    form = SegmentForm
    list_display = ["name", "company", "policy", "clients_in_it"]
    list_filter = ["company"]
    search_fields = ["name"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Segment]:
        rows: QuerySet[Segment] = super().get_queryset(request)
        return rows.annotate(clients_count=Count("clients")).select_related("company")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ["company"] if obj else []

    def save_model(self, request: HttpRequest, obj: Segment, form: Any, change: bool) -> None:
        kept = Segment.objects.select_for_update().get(pk=obj.pk) if change else None
        super().save_model(request, obj, form, change)
        if kept is not None:
            keep_choice(
                "segment", obj.pk, obj.company_id, before=kept.policy_name, name=obj.policy_name,
                on=today(obj.company), by=request.user,
            )

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        segment_goes(obj, obj.clients.values_list("pk", "policy_name"), on=today(obj.company), by=request.user)
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        with transaction.atomic():
            for segment in queryset:
                self.delete_model(request, segment)

    @admin.display(description=gettext_lazy("policy"))
    def policy(self, segment: Segment) -> str:
        return segment.policy_name or _("the company's")

    @admin.display(description=gettext_lazy("clients"))
    def clients_in_it(self, segment: Any) -> int:
        return int(segment.clients_count)


@admin.register(CompanyPolicy)
class CompanyPolicyAdmin(AuditedAdmin):
    form = CompanyPolicyForm
    list_display = ["company", "name"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ["company"] if obj else []

    def save_model(self, request: HttpRequest, obj: CompanyPolicy, form: Any, change: bool) -> None:
        obj.pk = use_policy(obj.company, obj.name, request.user).pk

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # a company goes over from one policy to another, never to none
