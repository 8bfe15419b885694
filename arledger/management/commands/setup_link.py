"""`manage.py setup_link`: the one-time address of the set-up page of a new installation."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser
from django.urls import reverse
from django.utils import timezone

from arledger.setup.services import GOOD_FOR, new_setup_token
from core.commands import AnswerCommand


class Command(AnswerCommand):
    help = "Print a link to the set-up page: works once, for 30 minutes, until the installation is set up."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--at", default=settings.PUBLIC_URL, metavar="URL", help=f"the address this runs at ({settings.PUBLIC_URL})"
        )

    def answer(self, **options: Any) -> dict[str, Any]:
        token = new_setup_token(timezone.now())
        minutes = int(GOOD_FOR.total_seconds() // 60)
        return {"link": options["at"].rstrip("/") + reverse("setup", args=[token]), "good_for_minutes": minutes}

    def as_text(self, answer: Any) -> str:
        return f"Set this installation up at {answer['link']}  (once, within {answer['good_for_minutes']} minutes)"
