"""How a file was mapped, kept under a name, so that the next file of the same kind needs no mapping."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class ImportProfile(models.Model):
    """A mapping of a file's columns, with the format of its dates and amounts."""

    KINDS = [("open_items", _("open items")), ("clients", _("clients")), ("work", _("completed work"))]

    name = models.CharField(_("name"), max_length=60, unique=True)
    kind = models.CharField(_("kind"), max_length=12, choices=KINDS)
    mapping = models.JSONField(_("mapping"))
    date_format = models.CharField(_("date format"), max_length=60, blank=True)
    options = models.JSONField(_("options"), default=dict)
    saved_by = models.CharField(max_length=150)
    saved_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
