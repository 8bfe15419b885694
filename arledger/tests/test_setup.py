"""Set-up of a new installation: one link, once, for half an hour; five questions; a company ready to invoice."""

import datetime as dt
import json
import socketserver
import threading

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone

from ar_collections.models import Hold
from arledger.installed import read_installed, write_installed
from arledger.setup.mail_test import MailServer, try_mail
from arledger.setup.services import is_setup_token, new_setup_token
from core.errors import Refused
from core.models import Company, Installation
from core.services import today
from policies.credit_terms import terms_in_force
from policies.services import policy_of

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 11, 18, 9, tzinfo=dt.UTC)

ANSWERS = {
    "company": {
        "name": "Lumen & Oak",
        "legal_name": "Lumen & Oak GmbH",
        "code": "LO",
        "country": "DE",
        "currency": "EUR",
        "time_zone": "Europe/Berlin",
        "language": "en",
        "paper": "A4",
    },
    "bank": {"holder": "Lumen & Oak GmbH", "iban": "DE89 3704 0044 0532 0130 00"},
    "mail": {"public_url": settings.PUBLIC_URL, "way": "files", "security": "starttls", "port": "587"},
    "policy": {"net_days": "30", "late_percent": "9"},
    "account": {
        "full_name": "Ada Kowalska",
        "username": "ada",
        "password": "seven calm herons",
        "again": "seven calm herons",
    },
}


@pytest.fixture
def installed(tmp_path, settings):
    settings.INSTALLED_ENV = tmp_path / "installed.env"
    return settings.INSTALLED_ENV


@pytest.fixture
def walk(client, installed):
    """Answer the questions in their order, with some answers changed; the page after the last one answered."""

    def walked(token, **changes):
        page = None
        for name, answers in ANSWERS.items():
            page = client.post(reverse("setup_step", args=[token, name]), answers | changes.get(name, {}))
            if page.status_code != 302:
                break
        return page

    return walked


def test_five_answers_found_a_company_an_administrator_and_a_hold(client, walk):
    token = new_setup_token(timezone.now())
    page = walk(token)
    assert "Your desk is ready" in page.content.decode()
    company = Company.objects.get()
    assert (company.name, company.bank_accounts.get().iban) == ("Lumen & Oak", "DE89370400440532013000")
    assert {method.kind for method in company.payment_methods.all()} == {"transfer", "cheque", "cash"}
    assert company.terms.get().net_days == 30
    assert policy_of(company, NOW.date()).steps.count() == 10
    assert not company.credit_terms.exists()
    assert Hold.objects.get().reason == "new"
    assert client.login(username="ada", password="seven calm herons")
    assert User.objects.get().is_superuser


def test_credit_terms_are_published_by_whoever_says_they_were_read(client, walk):
    """The text as shipped is a proposal: without the tick the company begins without terms of its own."""
    token = new_setup_token(timezone.now())
    shown = client.get(reverse("setup_step", args=[token, "policy"])).content.decode()
    assert "publish_terms" in shown and "Payment in advance" in shown
    walk(token, policy={"publish_terms": "on"})
    company = Company.objects.get()
    assert terms_in_force(company, today(company)).made_by == "Ada Kowalska"


def test_the_link_dies_when_it_is_used(client, walk):
    token = new_setup_token(timezone.now())
    walk(token)
    answer = client.get(reverse("setup", args=[token]))
    assert answer.status_code == 404
    assert "no longer opens anything" in answer.content.decode()
    with pytest.raises(Refused, match="set up already"):
        new_setup_token(timezone.now())


def test_the_link_is_good_for_thirty_minutes_and_only_the_latest_one():
    first = new_setup_token(NOW)
    assert is_setup_token(first, NOW + dt.timedelta(minutes=29))
    assert not is_setup_token(first, NOW + dt.timedelta(minutes=30))
    second = new_setup_token(NOW)
    assert not is_setup_token(first, NOW)
    assert is_setup_token(second, NOW)
    assert not is_setup_token("", NOW)


def test_only_the_hash_of_the_token_is_kept():
    token = new_setup_token(NOW)
    assert token not in str(Installation.objects.values().get())


def test_a_wrong_iban_is_refused_at_its_field_and_nothing_is_founded(walk):
    page = walk(new_setup_token(timezone.now()), bank={"iban": "DE89370400440532013001"})
    assert "This IBAN is not valid" in page.content.decode()
    assert not Company.objects.exists()


def test_a_short_password_is_refused(walk):
    page = walk(new_setup_token(timezone.now()), account={"password": "short one", "again": "short one"})
    assert "at least 12 characters" in page.content.decode()
    assert not User.objects.exists()


def test_a_mail_server_with_an_address_only_this_machine_can_open_is_refused(walk):
    smtp = {"way": "smtp", "host": "mail.firm.eu", "sender": "ar@firm.eu"}
    page = walk(new_setup_token(timezone.now()), mail=smtp)
    assert "clients would get links that only this machine can open" in page.content.decode()


def test_public_address_and_mail_server_are_written_for_the_owner_alone(walk, installed):
    smtp = {
        "public_url": "https://ar.firm.eu",
        "way": "smtp",
        "host": "mail.firm.eu",
        "user": "ar@firm.eu",
        "password": "a/b@c",
        "sender": "ar@firm.eu",
    }
    page = walk(new_setup_token(timezone.now()), mail=smtp)
    assert "begins anew" in page.content.decode()
    written = read_installed(installed)
    assert written["EMAIL_URL"] == "smtp+tls://ar%40firm.eu:a%2Fb%40c@mail.firm.eu:587"
    assert written["PUBLIC_URL"] == "https://ar.firm.eu"
    assert written["LINK_KEY"] == settings.LINK_KEY
    assert installed.stat().st_mode & 0o777 == 0o600


def test_terms_show_the_ladder_on_the_calendar(client):
    token = new_setup_token(timezone.now())
    page = client.post(
        reverse("setup_step", args=[token, "policy"]), {"net_days": "14", "late_percent": "9", "show": "1"}
    )
    assert "Invoice sent again, notice of interest" in page.content.decode()
    assert page.context["due_on"] == page.context["issued_on"] + dt.timedelta(days=14)


def test_setup_link_prints_an_address_that_opens(client, capsys):
    call_command("setup_link", "--json", "--at", "http://127.0.0.1:8123")
    link = json.loads(capsys.readouterr().out)["link"]
    assert link.startswith("http://127.0.0.1:8123/setup/")
    assert client.get(link.removeprefix("http://127.0.0.1:8123"), follow=True).status_code == 200


def test_what_would_not_read_back_is_not_written(tmp_path):
    with pytest.raises(ValueError, match="MAIL_FROM"):
        write_installed(tmp_path / "installed.env", {"MAIL_FROM": "a@b.eu\nDEBUG=true"})
    assert not (tmp_path / "installed.env").exists()


class Dialogue(socketserver.StreamRequestHandler):
    """A mail server of six lines: takes mail for anybody but «nobody»."""

    def handle(self):
        self.wfile.write(b"220 mail.firm.eu ready\r\n")
        in_data = False
        for line in self.rfile:
            word = line.upper()
            if in_data and line != b".\r\n":
                continue
            answer = b"250 fine"
            if in_data:
                in_data, answer = False, b"250 queued as 4711"
            elif word.startswith(b"DATA"):
                in_data, answer = True, b"354 go on"
            elif word.startswith(b"RCPT") and b"NOBODY" in word:
                answer = b"550 no such user here"
            elif word.startswith(b"QUIT"):
                answer = b"221 bye"
            self.wfile.write(answer + b"\r\n")


@pytest.fixture
def mail_server():
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Dialogue) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield MailServer("127.0.0.1", server.server_address[1], "none")
        server.shutdown()


def test_the_test_shows_what_the_server_answered(mail_server):
    taken = try_mail(mail_server, "ar@firm.eu", "ada@firm.eu", "hello")
    assert taken.accepted
    assert taken.lines[-1] == "DATA: 250 queued as 4711"
    refused = try_mail(mail_server, "ar@firm.eu", "nobody@firm.eu", "hello")
    assert not refused.accepted
    assert refused.lines[-1] == "RCPT TO: 550 no such user here"


def test_a_server_that_is_not_there_is_named():
    outcome = try_mail(MailServer("127.0.0.1", 9, "none"), "ar@firm.eu", "ada@firm.eu", "hello")
    assert not outcome.accepted
    assert outcome.lines[0].startswith("127.0.0.1:9: ")
