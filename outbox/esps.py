"""The mail providers we know how to speak with, through django-anymail: what each needs, and how it calls us back.

Pure data. Settings read it to refuse a half configured provider, the transport and the webhook to find the classes.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Esp:
    """A provider: its name, the settings it cannot do without and those it may have, as anymail names them."""

    label: str
    needs: tuple[str, ...]
    may_have: tuple[str, ...] = ()
    tracking: str = ""  # the class of anymail that reads its webhook


ESPS = {
    "brevo": Esp("Brevo", ("API_KEY",), tracking="BrevoTrackingWebhookView"),
    "mailersend": Esp("MailerSend", ("API_TOKEN", "SIGNING_SECRET"), tracking="MailerSendTrackingWebhookView"),
    "mailgun": Esp(
        "Mailgun", ("API_KEY", "SENDER_DOMAIN", "WEBHOOK_SIGNING_KEY"), ("API_URL",), "MailgunTrackingWebhookView"
    ),
    "mailjet": Esp("Mailjet", ("API_KEY", "SECRET_KEY"), tracking="MailjetTrackingWebhookView"),
    "mailtrap": Esp("Mailtrap", ("API_TOKEN",), ("SIGNING_SECRET",), "MailtrapTrackingWebhookView"),
    "postmark": Esp("Postmark", ("SERVER_TOKEN",), ("MESSAGE_STREAM", "API_URL"), "PostmarkTrackingWebhookView"),
    "sparkpost": Esp("SparkPost", ("API_KEY",), ("API_URL", "SUBACCOUNT"), "SparkPostTrackingWebhookView"),
}


def anymail_settings(name: str, given: dict[str, str], webhook_secret: str) -> dict[str, object]:
    """What anymail reads: the provider's own settings under its name, and the secret that its webhook has to know.

    >>> anymail_settings("postmark", {"SERVER_TOKEN": "t"}, "us:secret")["POSTMARK_SERVER_TOKEN"]
    't'
    """
    found: dict[str, object] = {f"{name.upper()}_{key}": value for key, value in given.items() if value}
    # What a provider cannot carry (a header, our key) it leaves out; the mail itself always goes.
    return found | {"WEBHOOK_SECRET": webhook_secret, "IGNORE_UNSUPPORTED_FEATURES": True, "REQUESTS_TIMEOUT": 20}
