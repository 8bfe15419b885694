"""`manage.py import_clients`: clients and the people to talk to, from somebody else's file."""

from __future__ import annotations

from typing import Any

from core.models import Company
from core.services import today
from imports.cells import Reading
from imports.management.importing import BY, ImportCommand
from imports.rows import CLIENT_NEEDED, CLIENT_OPTIONAL
from imports.services.answers import Answer
from imports.services.clients import Enrolment, as_json, import_clients


class Command(ImportCommand):
    help = "Add clients and contacts from a CSV file, or bring them up to date; a second time changes nothing."
    kind = "clients"
    known_keys = CLIENT_NEEDED + CLIENT_OPTIONAL

    def take(self, content: bytes, reading: Reading, options: dict[str, Any]) -> Answer:
        on = today(Company.objects.order_by("pk").first())
        enrolment = Enrolment(
            reading=reading, company=options["company"], skip_bad=options["skip_bad"] is not None,
            dry_run=options["dry_run"],
        )
        return import_clients(content, enrolment, on=on, by=BY, progress=self.progress)

    def told(self, answer: Answer) -> dict[str, Any]:
        return as_json(answer)
