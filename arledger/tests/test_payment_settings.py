"""Payment providers are whole or not there; the sandbox lives on one's own machine only."""

import os
import subprocess
import sys

import pytest
from django.conf import settings

from arledger.checks import payment_provider_is_whole

KEY = "".join(chr(33 + n) for n in range(60)).replace("'", "x").replace('"', "y")
PUBLIC = {
    "PUBLIC_URL": "https://ar.firm.eu", "SECRET_KEY": f"s{KEY}", "LINK_KEY": f"l{KEY}", "MAIL_FROM": "ar@firm.eu",
    "EMAIL_URL": "smtp+tls://u:p@mail.firm.eu:587",
}  # fmt: skip
STRIPE = {"STRIPE_SECRET_KEY": "sk_live_x", "STRIPE_WEBHOOK_SECRET": "whsec_x"}


def loaded(tmp_path, **environment):
    """The providers and the addresses a form may lead to, by settings of their own."""
    asked = (
        "from arledger import settings as s;"
        "print(*s.PAYMENT_PROVIDERS, '|', *s.CONTENT_SECURITY_POLICY['DIRECTIVES']['form-action'])"
    )
    facts = {"PATH": os.environ["PATH"], "ENV_FILE": os.devnull, "DATA_DIR": str(tmp_path)} | environment
    done = subprocess.run(
        [sys.executable, "-c", asked], env=facts, cwd=settings.BASE_DIR, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.once
def test_the_sandbox_is_there_on_ones_own_machine_alone(tmp_path):
    assert loaded(tmp_path) == "sandbox | 'self'"
    assert loaded(tmp_path, PAYMENT_SANDBOX="false") == "| 'self'"
    assert loaded(tmp_path, **PUBLIC, PAYMENT_SANDBOX="true") == "| 'self'"


@pytest.mark.once
def test_stripe_is_there_with_both_of_its_secrets_and_a_form_may_lead_to_it(tmp_path):
    assert loaded(tmp_path, **PUBLIC, **STRIPE) == "stripe | 'self' https://checkout.stripe.com"
    for name in STRIPE:
        assert loaded(tmp_path, **PUBLIC, **{name: STRIPE[name]}) == "| 'self'"


@pytest.mark.parametrize("name", STRIPE)
def test_half_set_up_it_is_named(settings, name):
    for key, value in STRIPE.items():
        setattr(settings, key, "" if key == name else value)
    (warning,) = payment_provider_is_whole(None)
    assert warning.id == "arledger.W004" and warning.msg.startswith(f"{name} is missing")


@pytest.mark.parametrize("given", [{}, STRIPE])
def test_whole_or_not_there_nothing_is_said(settings, given):
    for key in STRIPE:
        setattr(settings, key, given.get(key, ""))
    assert payment_provider_is_whole(None) == []
