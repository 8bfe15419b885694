"""Messages, to look at: they are undone, sent again and resolved in the outbox of the desk."""

from django.contrib import admin

from audit.admin import ReadOnlyAdmin

from .models import Message


@admin.register(Message)
class MessageAdmin(ReadOnlyAdmin):
    list_display = ["created_at", "kind", "to_addr", "subject", "state", "attempts", "sent_at"]
    list_filter = ["state", "kind"]
    search_fields = ["key", "to_addr", "subject"]
