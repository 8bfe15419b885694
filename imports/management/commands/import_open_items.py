"""`manage.py import_open_items`: what is owed, from somebody else's file."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from core.commands import iso_date
from core.models import Company
from core.services import today
from imports.cells import Reading
from imports.management.importing import BY, ImportCommand
from imports.rows import ITEM_NEEDED, ITEM_OPTIONAL
from imports.services.answers import Answer
from imports.services.open_items import Taking, as_json, import_open_items


class Command(ImportCommand):
    help = "Take over open items from a CSV file: all of it or nothing, and a second time changes nothing."
    kind = "open_items"
    known_keys = ITEM_NEEDED + ITEM_OPTIONAL

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--date-format", metavar="FMT", help="the one format of all dates, as strptime has it: %%d.%%m.%%Y"
        )
        parser.add_argument(
            "--round", choices=["half-up"], help="round amounts finer than the currency; refused otherwise"
        )
        parser.add_argument(
            "--interest-from", type=iso_date, metavar="DATE", help="the first day that may bear interest on these items"
        )

    def take(self, content: bytes, reading: Reading, options: dict[str, Any]) -> Answer:
        taking = Taking(
            reading=reading, source=options["file"].name, company=options["company"],
            interest_from=options["interest_from"], skip_bad=options["skip_bad"] is not None,
            dry_run=options["dry_run"],
        )
        on = today(Company.objects.order_by("pk").first(), timezone.now())
        return import_open_items(content, taking, on=on, by=BY, progress=self.progress)

    def told(self, answer: Answer) -> dict[str, Any]:
        return as_json(answer)
