"""Clients as the administrator sees them; the desk is where they are kept."""

from django.contrib import admin

from audit.admin import ReadOnlyAdmin

from .models import Client, Contact


class ContactInline(admin.TabularInline[Contact, Client]):
    model = Contact
    extra = 0
    can_delete = False


@admin.register(Client)
class ClientAdmin(ReadOnlyAdmin):
    list_display = ["name", "number", "company", "country", "currency", "terms"]
    list_filter = ["company", "currency"]
    search_fields = ["name", "number"]
    inlines = [ContactInline]
