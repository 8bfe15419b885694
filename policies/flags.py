"""What a credit check may find against a client, and how far an answer to it goes. Nothing here is a rule."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

FLAGS = [
    ("insolvency", _("insolvency")),
    ("court_record", _("court record")),
    ("payment_default", _("default reported by others")),
    ("adverse_press", _("adverse press")),
    ("young_company", _("young company")),
    ("no_accounts", _("no accounts filed")),
    ("address_doubtful", _("address not confirmed")),
]
OUTCOMES = [
    ("accept", _("accept")),
    ("stricter", _("stricter terms")),
    ("prepayment", _("prepayment only")),
    ("decline", _("decline")),
]  # from the mildest to the strictest
