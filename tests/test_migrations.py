"""The migrations, from nothing to the present, make the tables and guards that the models describe."""

import os
import subprocess
import sys
import uuid
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.db import connection

ASK = "from core.guards import guarded_models, missing; print(len(guarded_models()) > 20, missing())"


def manage(database: str, folder: Path, *arguments: str) -> str:
    environment = {
        "PATH": os.environ["PATH"], "ENV_FILE": os.devnull, "DATA_DIR": str(folder), "DATABASE_URL": database,
    }
    answer = subprocess.run(
        [sys.executable, "manage.py", *arguments], cwd=settings.BASE_DIR, env=environment, capture_output=True,
        text=True, timeout=600, check=False,
    )
    assert answer.returncode == 0, answer.stderr
    return answer.stdout


def check(database: str, folder: Path) -> None:
    manage(database, folder, "migrate", "--verbosity", "0")
    manage(database, folder, "migrate", "--check")
    assert manage(database, folder, "shell", "--no-imports", "-c", ASK).strip() == "True []"


@pytest.mark.on_sqlite
def test_on_sqlite(tmp_path):
    check("", tmp_path)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_on_postgresql(tmp_path):
    if connection.vendor != "postgresql":
        pytest.skip("needs PostgreSQL: set TEST_DATABASE_URL, or run bin/test")
    name = f"migrated_{uuid.uuid4().hex}"
    with connection.cursor() as cursor:
        cursor.execute(f'CREATE DATABASE "{name}"')
    try:
        check(urlsplit(os.environ["TEST_DATABASE_URL"])._replace(path=f"/{name}").geturl(), tmp_path)
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f'DROP DATABASE "{name}"')
