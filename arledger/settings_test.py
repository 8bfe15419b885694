"""Settings of the tests: the real ones, in a data folder of their own and deaf to anybody's `.env`."""

import atexit
import os
import shutil
import tempfile
import warnings

warnings.simplefilter("default")

os.environ["ENV_FILE"] = os.devnull
for name in ("DATABASE_URL", "REDIS_URL"):
    os.environ[name] = os.environ.get(f"TEST_{name}", "")
for name in (
    "PUBLIC_URL", "ALLOWED_HOSTS", "DEBUG", "EMAIL_URL", "MAIL_FROM", "SECRET_KEY", "LINK_KEY", "STRIPE_SECRET_KEY",
    "STRIPE_WEBHOOK_SECRET", "STRIPE_ACCOUNT", "PAYMENT_SANDBOX", "ANYMAIL_ESP", "ANYMAIL_WEBHOOK_SECRET",
):
    os.environ.pop(name, None)
# Processes that a test starts share the folder and the database of the test that started them.
if not os.environ.get("TEST_DATA_DIR"):
    os.environ["TEST_DATA_DIR"] = tempfile.mkdtemp(prefix="arledger-tests-")
    atexit.register(shutil.rmtree, os.environ["TEST_DATA_DIR"], ignore_errors=True)
os.environ["DATA_DIR"] = os.environ["TEST_DATA_DIR"]

from arledger.settings import *  # noqa: E402,F403
from arledger.settings import DATA_DIR, DATABASES, SQLITE_OPTIONS  # noqa: E402

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
WHITENOISE_AUTOREFRESH = True  # looked for when asked for: every browser of a test would read the whole folder first
LOGGING = {"version": 1, "disable_existing_loggers": False, "root": {"level": "WARNING"}}

if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # A file and not memory: threads and child processes of a test see the same book, under the same locks.
    # Without waiting for the disk: a test's book need not outlive a power cut.
    DATABASES["default"]["TEST"] = {"NAME": str(DATA_DIR / "tests.sqlite3")}
    DATABASES["default"]["OPTIONS"] = {
        **SQLITE_OPTIONS,
        "init_command": f"{SQLITE_OPTIONS['init_command']}; PRAGMA synchronous=OFF",
    }
