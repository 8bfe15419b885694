"""`manage.py import_work`: completed work, from somebody else's list of hours or deliveries."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from core.models import Company
from core.services import today
from imports.cells import Reading
from imports.management.importing import BY, ImportCommand
from imports.services.answers import Answer
from imports.services.work import Worked, as_json, import_work
from imports.work_rows import WORK_NEEDED, WORK_OPTIONAL


class Command(ImportCommand):
    help = "Keep completed work from a CSV file: all of it or nothing, and a second time changes nothing."
    kind = "work"
    known_keys = WORK_NEEDED + WORK_OPTIONAL

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--date-format", metavar="FMT", help="the one format of all dates, as strptime has it: %%d.%%m.%%Y"
        )
        parser.add_argument(
            "--round", choices=["half-up"], help="round amounts finer than the currency; refused otherwise"
        )

    def take(self, content: bytes, reading: Reading, options: dict[str, Any]) -> Answer:
        worked = Worked(
            reading=reading, company=options["company"], skip_bad=options["skip_bad"] is not None,
            dry_run=options["dry_run"],
        )
        named = Company.objects.filter(code__iexact=options["company"]) if options["company"] else Company.objects.all()
        on = today(named.order_by("pk").first(), timezone.now())
        return import_work(content, worked, on=on, by=BY, progress=self.progress)

    def told(self, answer: Answer) -> dict[str, Any]:
        return as_json(answer)
