"""The process refuses to start on an unsafe setting, and names it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

STRONG = "q7Vd0sK2mZx9Lr4TbNf8Yw1HcGj5PaUeRi6OoXnCvBtMkDlSzEyWhJqFgAu3Ip"
OTHER = "Ip3uAgFqJhWyEzSlDkMtBvCnXoO6iReUaP5jGcH1wY8fNbT4rL9xZm2Ks0dV7q"
PRODUCTION = {
    "PUBLIC_URL": "https://ar.firm.eu",
    "SECRET_KEY": STRONG,
    "LINK_KEY": OTHER,
    "EMAIL_URL": "smtp+tls://user:secret@mail.firm.eu:587",
    "MAIL_FROM": "ar@firm.eu",
}
POSTMARK = {
    "EMAIL_URL": "", "ANYMAIL_ESP": "postmark", "ANYMAIL_POSTMARK_SERVER_TOKEN": "token",
    "ANYMAIL_WEBHOOK_SECRET": f"us:{STRONG}",
}  # fmt: skip
pytestmark = pytest.mark.on_sqlite


def boot(data_dir: Path, given: dict[str, str]) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "ENV_FILE": os.devnull, "DATA_DIR": str(data_dir), **given}
    command = [sys.executable, "-c", "import arledger.settings as s; print('booted', s.PUBLIC_URL)"]
    return subprocess.run(command, env=environment, cwd=settings.BASE_DIR, capture_output=True, text=True, timeout=60)


def test_a_complete_production_configuration_boots(tmp_path):
    assert boot(tmp_path, PRODUCTION).stdout == "booted https://ar.firm.eu\n"
    assert not (tmp_path / "keys").exists(), "keys are made for one's own machine only"


def test_a_mail_provider_instead_of_a_mail_server_boots(tmp_path):
    assert boot(tmp_path, {**PRODUCTION, **POSTMARK}).stdout == "booted https://ar.firm.eu\n"


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"SECRET_KEY": ""}, "SECRET_KEY is not set"),
        ({"SECRET_KEY": "short"}, "SECRET_KEY is too short"),
        ({"SECRET_KEY": "django-insecure-" + STRONG}, "SECRET_KEY is an example value"),
        ({"SECRET_KEY": "ab" * 40}, "SECRET_KEY repeats itself"),
        ({"LINK_KEY": ""}, "LINK_KEY is not set"),
        ({"LINK_KEY": "short"}, "LINK_KEY is too short"),
        ({"LINK_KEY": "changeme" * 10}, "LINK_KEY is an example value"),
        ({"LINK_KEY": STRONG}, "LINK_KEY equals SECRET_KEY"),
        ({"LINK_KEY_FALLBACKS": "short"}, "LINK_KEY_FALLBACKS is too short"),
        ({"SECRET_KEY_FALLBACKS": f"{OTHER},{'changeme' * 10}"}, "LINK_KEY_FALLBACKS is an example value"),
        ({"DEBUG": "true"}, "DEBUG is on"),
        ({"ALLOWED_HOSTS": "*"}, "ALLOWED_HOSTS contains '*'"),
        ({"ALLOWED_HOSTS": "other.firm.eu"}, "ALLOWED_HOSTS does not contain 'ar.firm.eu'"),
        ({"PUBLIC_URL": "http://ar.firm.eu"}, "links to invoices travel by https only"),
        ({"PUBLIC_URL": "ar.firm.eu"}, "PUBLIC_URL is 'ar.firm.eu'"),
        ({"PUBLIC_URL": "https://ar.firm.eu?to=x"}, "PUBLIC_URL is 'https://ar.firm.eu?to=x'"),
        ({"PUBLIC_URL": "https://ar.firm.eu@else.test"}, "PUBLIC_URL is 'https://ar.firm.eu@else.test'"),
        ({"PUBLIC_URL": "http://127.0.0.1:8000"}, "EMAIL_URL is set while PUBLIC_URL is 'http://127.0.0.1:8000'"),
        ({"EMAIL_URL": "mail.firm.eu"}, "EMAIL_URL must look like"),
        ({"MAIL_FROM": ""}, "MAIL_FROM is not set"),
        ({"DATABASE_URL": "mysql://u:p@127.0.0.1/ar"}, "DATABASE_URL begins with 'mysql'"),
        ({"REDIS_URL": "127.0.0.1:6379"}, "REDIS_URL must begin with"),
        ({"ANYMAIL_ESP": "pigeon"}, "ANYMAIL_ESP is 'pigeon'"),
        (POSTMARK | {"ANYMAIL_POSTMARK_SERVER_TOKEN": ""}, "ANYMAIL_POSTMARK_SERVER_TOKEN is not set"),
        (POSTMARK | {"EMAIL_URL": "smtp://mail.firm.eu"}, "EMAIL_URL and ANYMAIL_ESP are both set"),
        (POSTMARK | {"MAIL_FROM": ""}, "MAIL_FROM is not set: with ANYMAIL_ESP"),
        (POSTMARK | {"ANYMAIL_WEBHOOK_SECRET": "no-colon-in-these-many-letters"}, "ANYMAIL_WEBHOOK_SECRET must be"),
        (POSTMARK | {"ANYMAIL_WEBHOOK_SECRET": "us:short"}, "ANYMAIL_WEBHOOK_SECRET must be"),
        (POSTMARK | {"PUBLIC_URL": "http://127.0.0.1:8000"}, "ANYMAIL_ESP is set while PUBLIC_URL is"),
    ],
    ids=lambda value: "=".join(list(value.items())[-1])[:40] if isinstance(value, dict) else "",
)
def test_an_unsafe_setting_is_refused_by_name(tmp_path, wrong, named):
    ended = boot(tmp_path, {**PRODUCTION, **wrong})
    assert ended.returncode != 0
    assert "booted" not in ended.stdout
    assert named in ended.stderr


def test_the_command_line_says_it_in_sentences_and_without_a_traceback(tmp_path):
    environment = {"PATH": os.environ["PATH"], "ENV_FILE": os.devnull, "DATA_DIR": str(tmp_path)}
    environment |= {**PRODUCTION, "SECRET_KEY": "", "DEBUG": "true"}
    ended = subprocess.run(
        [sys.executable, "manage.py", "migrate"], env=environment, cwd=settings.BASE_DIR, capture_output=True, text=True
    )
    assert ended.returncode == 1
    assert ended.stderr.startswith("AR Ledger does not start.\n- SECRET_KEY is not set.")
    assert "- DEBUG is on" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_ones_own_machine_needs_no_settings_and_makes_keys_that_only_the_owner_reads(tmp_path):
    assert boot(tmp_path, {}).stdout == "booted http://127.0.0.1:8000\n"
    first = {path.name: path.read_text() for path in (tmp_path / "keys").iterdir()}
    assert sorted(first) == ["link_key", "secret_key"]
    assert all(len(key) >= 50 for key in first.values())
    assert first["link_key"] != first["secret_key"]
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "keys").iterdir()} == {0o600}
    boot(tmp_path, {})
    assert {path.name: path.read_text() for path in (tmp_path / "keys").iterdir()} == first


def test_a_fresh_database_has_no_account(transactional_db, django_user_model):
    assert not django_user_model.objects.exists()


def test_the_example_of_settings_explains_every_variable_that_settings_read():
    import re

    source = (settings.BASE_DIR / "arledger/settings.py").read_text()
    read = set(re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', source))
    explained = set(re.findall(r"^#([A-Z_]+)=", (settings.BASE_DIR / ".env.example").read_text(), re.M))
    assert read == explained
