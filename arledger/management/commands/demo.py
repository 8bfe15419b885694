"""`manage.py demo`: a year of a made-up book, into an empty database."""

from __future__ import annotations

import secrets
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import CommandParser

from arledger.demo.book import write_demo
from core.commands import AnswerCommand
from core.models import Company
from core.services import today

LOGIN = "ada"


class Command(AnswerCommand):
    help = "Fill an empty database with a year of a made-up book; prints the generated login once."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--if-empty", action="store_true", help="say nothing and do nothing where there already is a company"
        )

    def answer(self, **options: Any) -> dict[str, Any]:
        if options["if_empty"] and Company.objects.exists():
            return {}
        password = secrets.token_urlsafe(12)
        book = write_demo(
            today(None),
            lambda: User.objects.create_superuser(LOGIN, "", password, first_name="Ada", last_name="Kowalska"),
            lambda done, total: self.progress(done, total, "days"),
        )
        return {
            "companies": len(book.companies), "clients": len(book.clients), "invoices": book.invoices, "login": LOGIN,
            "password": password,
        }  # fmt: skip

    def as_text(self, answer: Any) -> str:
        if not answer:
            return ""
        return (
            f"The demo book: {answer['companies']} companies, {answer['clients']} clients, "
            f"{answer['invoices']} invoices.\n"
            f"Sign in as {answer['login']} with the password {answer['password']}  (shown this once)"
        )
