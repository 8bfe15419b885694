"""The admin's own habits: every change is recorded, what is a fact is only read; and the trail itself."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db import transaction
from django.db.models import Model
from django.http import HttpRequest, HttpResponse

from .models import Event
from .services import record


class AuditedAdmin(admin.ModelAdmin[Any]):
    """An admin page whose every save and deletion is recorded in the same transaction."""

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        with transaction.atomic():
            answer: HttpResponse = super().changeform_view(request, *args, **kwargs)
        return answer

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        changed = dict.fromkeys(form.changed_data, "…")
        for formset in formsets:
            for kept, what in ((formset.new_objects, "added"), (formset.deleted_objects, "removed")):
                changed.update({f"{what} {row._meta.verbose_name}": str(row) for row in kept})
            for row, names in formset.changed_objects:
                changed[f"changed {row._meta.verbose_name}"] = ", ".join(names)
        record(
            request.user, f"{self.opts.model_name}_{'changed' if change else 'added'}", form.instance,
            summary=str(form.instance), diff=changed,
        )

    def delete_model(self, request: HttpRequest, obj: Model) -> None:
        record(request.user, f"{self.opts.model_name}_deleted", obj, summary=str(obj))
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        for row in queryset:
            record(request.user, f"{self.opts.model_name}_deleted", row, summary=str(row))
        super().delete_queryset(request, queryset)


class ReadOnlyAdmin(admin.ModelAdmin[Any]):
    """Facts: looked at here, changed by the verbs of the desk alone."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    list_display = ["at", "actor", "action", "object_type", "object_id", "summary"]
    list_filter = ["action", "object_type"]
    search_fields = ["actor", "summary", "doc", "object_id"]
    date_hierarchy = "at"
