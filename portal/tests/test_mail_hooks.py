"""The door of the mail provider: nobody is heard without the secret, and what is heard changes one mail once."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client as Browser

from ar_collections.models import Task
from clients.models import Contact
from outbox.esps import ESPS, anymail_settings
from outbox.models import Message
from outbox.services import deliver
from portal import mail_hooks
from tests.cast import CLERK, TODAY, make_invoice

pytestmark = pytest.mark.django_db

SECRET = "us:a-secret-of-twenty-letters"


@pytest.fixture(autouse=True)
def set_up(settings: Any) -> None:
    cache.clear()
    settings.MAIL_PROVIDER, settings.MAIL_WEBHOOK_SECRET = "postmark", SECRET
    settings.ANYMAIL = anymail_settings("postmark", {"SERVER_TOKEN": "t"}, SECRET)


@pytest.fixture
def message(late_client: Any) -> Message:
    from invoices.services.sending import send_invoice

    message = send_invoice(make_invoice(late_client, on=TODAY), on=TODAY, by=CLERK)
    deliver(message.not_before)
    return Message.objects.get(pk=message.pk, state="sent")


def said(message: Message, **facts: Any) -> dict[str, Any]:
    return {
        "RecordType": "Bounce", "Type": "HardBounce", "Email": message.to_addr, "MessageID": "pm-1", "ID": 4711,
        "BouncedAt": "2026-11-18T09:00:00Z", "Description": "The address does not exist.",
        "Details": "smtp;550 5.1.1 no such user", "Metadata": {"outbox": message.key},
    } | facts  # fmt: skip


def call(told: Any, secret: str = SECRET, to: str = "postmark", **extra: Any) -> int:
    body = told if isinstance(told, bytes) else json.dumps(told).encode()
    headers = {"Authorization": "Basic " + base64.b64encode(secret.encode()).decode()} if secret else {}
    browser = Browser(enforce_csrf_checks=True)
    return browser.post(
        f"/hooks/mail/{to}/", body, content_type="application/json", headers=headers, **extra
    ).status_code


def untouched(message: Message) -> bool:
    message.refresh_from_db()
    marked = Contact.objects.exclude(bounced_at=None).exists()
    return message.delivery == "" and not marked and not Task.objects.exists()


def test_a_hard_bounce_marks_the_address_with_the_servers_words_and_raises_one_task(message: Message) -> None:
    assert [call(said(message)) for _n in range(5)] == [200] * 5
    message.refresh_from_db()
    assert (message.delivery, message.provider_id) == ("bounced", "pm-1")
    contact = Contact.objects.get(email=message.to_addr)
    assert contact.bounced_at is not None and "550 5.1.1 no such user" in contact.bounced_because
    assert Task.objects.get(kind="delivery").client == contact.client


@pytest.mark.parametrize("soft", [{"Type": "SoftBounce"}, {"Type": "Transient"}, {"Details": "452 4.2.2 full"}])
def test_a_soft_bounce_marks_nothing(message: Message, soft: dict[str, Any]) -> None:
    assert call(said(message, **soft)) == 200
    message.refresh_from_db()
    assert message.delivery == "deferred"
    assert not Contact.objects.exclude(bounced_at=None).exists() and not Task.objects.exists()


def test_delivered_and_opened_are_the_evidence_that_it_arrived(message: Message) -> None:
    facts = {"RecordType": "Delivery", "Recipient": message.to_addr, "DeliveredAt": "2026-11-18T09:00:00Z"}
    assert call(said(message, **facts)) == 200
    message.refresh_from_db()
    assert (message.delivery, f"{message.delivery_at:%H:%M}") == ("delivered", "09:00")


def test_who_marks_it_as_unwanted_is_called_and_still_has_an_address(message: Message) -> None:
    assert call(said(message, RecordType="SpamComplaint", Type="SpamComplaint")) == 200
    message.refresh_from_db()
    assert message.delivery == "complained"
    assert "unwanted" in Task.objects.get(kind="delivery").because
    assert not Contact.objects.exclude(bounced_at=None).exists()


@pytest.mark.parametrize("secret", ["", "us:", "us:another-secret", "them:a-secret-of-twenty-letters", "a-secret"])
def test_without_the_secret_nobody_is_heard(message: Message, secret: str) -> None:
    assert call(said(message), secret) == 400 and untouched(message)


def test_where_no_secret_is_set_there_is_no_door(message: Message, settings: Any) -> None:
    settings.MAIL_WEBHOOK_SECRET = ""
    settings.ANYMAIL = anymail_settings("postmark", {"SERVER_TOKEN": "t"}, "")
    assert [call(said(message), secret) for secret in ("", ":", SECRET)] == [404] * 3 and untouched(message)


@pytest.mark.parametrize("name", ["mailgun", "nobody", "amazon_ses"])
def test_another_provider_has_no_door(message: Message, name: str) -> None:
    assert call(said(message), to=name) == 404 and untouched(message)


@pytest.mark.parametrize("nonsense", [b"", b"[]", b"null", b"1", b"\xff\xfe", b'"x"', b'{"RecordType": "Inbound"}'])
def test_nonsense_with_the_secret_is_refused_without_a_fault(message: Message, nonsense: bytes) -> None:
    assert call(nonsense) in (200, 400) and untouched(message)


def test_what_is_said_of_mails_of_others_changes_nothing(message: Message) -> None:
    assert call(said(message, Metadata={"outbox": "notice:9:2026-11-18:mail"})) == 200
    assert call(said(message, Metadata={})) == 200
    assert call(said(message, Metadata={"outbox": ["x"]})) == 200
    assert untouched(message)


def test_a_call_of_any_size_is_not_read(message: Message) -> None:
    assert call(said(message, Content="x" * mail_hooks.LARGEST)) == 413
    assert call(said(message, Content="x" * 3 * mail_hooks.LARGEST)) == 413
    assert untouched(message)


def test_too_many_calls_of_one_address_wait(message: Message, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail_hooks, "CALLS_AT_MOST", 2)
    assert [call(b"{}", "no") for _n in range(3)] == [400, 400, 429]


def test_while_a_mail_is_handed_over_the_provider_tells_again(message: Message) -> None:
    waiting = Message.objects.create(
        key="note:2", kind="note", on=TODAY, state="handing", lease_token="0" * 32, message_id="<two@us.test>",
        not_before=message.not_before, to_addr="ada@firm.test",
    )  # fmt: skip
    assert call(said(waiting)) == 503
    waiting.refresh_from_db()
    assert (waiting.state, waiting.delivery) == ("handing", "")


def test_nothing_is_told_to_who_only_looks() -> None:
    assert Browser().get("/hooks/mail/postmark/").status_code == 405


@pytest.mark.parametrize("name", sorted(ESPS))
def test_every_provider_we_name_can_send_and_be_heard(name: str, settings: Any) -> None:
    """The classes are there, and what we ask for is all that they need."""
    from outbox.providers import Provider

    settings.MAIL_PROVIDER = name
    settings.ANYMAIL = anymail_settings(name, dict.fromkeys(ESPS[name].needs, "x"), SECRET)
    assert Provider(name).backend.api_url.startswith("https://")
    assert call(b"{}", "wrong:secret", to=name) == 400


@pytest.fixture
def mailjet(settings: Any) -> Any:
    """A provider that tells of many mails in one call."""
    settings.MAIL_PROVIDER = "mailjet"
    settings.ANYMAIL = anymail_settings("mailjet", {"API_KEY": "k", "SECRET_KEY": "s"}, SECRET)


def bounce(message: Message, **facts: Any) -> dict[str, Any]:
    return {
        "event": "bounce", "time": 1795000000, "MessageID": 13, "email": message.to_addr, "hard_bounce": True,
        "error": "user unknown", "error_related_to": "recipient", "Payload": json.dumps({"outbox": message.key}),
    } | facts  # fmt: skip


@pytest.mark.usefixtures("mailjet")
@pytest.mark.parametrize("bad", [{"event": 7, "time": "never"}, {}, None, {"event": "bounce", "time": [1]}])
def test_one_bad_event_does_not_keep_a_batch_from_being_heard(message: Message, bad: Any) -> None:
    assert call([bad, bounce(message)], to="mailjet") == 200
    message.refresh_from_db()
    assert message.delivery == "bounced"


@pytest.mark.usefixtures("mailjet")
def test_what_is_handed_over_at_the_moment_is_told_again_and_the_rest_is_heard(message: Message) -> None:
    Message.objects.create(
        key="note:2", kind="note", on=TODAY, state="handing", lease_token="0" * 32, message_id="<two@us.test>",
        not_before=message.not_before, to_addr="ada@firm.test",
    )  # fmt: skip
    early = bounce(message, Payload=json.dumps({"outbox": "note:2"}), MessageID=14)
    assert call([early, bounce(message)], to="mailjet") == 503
    message.refresh_from_db()
    assert message.delivery == "bounced"


def test_a_hard_bounce_whose_words_blame_something_else_marks_no_address(message: Message) -> None:
    assert call(said(message, Details="smtp;550 5.7.1 blocked by our policy", Description="")) == 200
    message.refresh_from_db()
    assert message.delivery == "bounced"
    assert not Contact.objects.exclude(bounced_at=None).exists()
    assert "may be right" in Task.objects.get(kind="delivery").because
