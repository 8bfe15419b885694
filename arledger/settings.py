"""Every setting of AR Ledger, from the environment or `.env`; `.env.example` explains each variable."""

import os
from collections import ChainMap
from pathlib import Path
from urllib.parse import urlsplit

import django_stubs_ext
import environ
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from arledger import keys
from arledger.configuration import Configuration, is_loopback, refusals
from arledger.installed import read_installed
from outbox.esps import ESPS, anymail_settings

django_stubs_ext.monkeypatch()  # models.Field[…], ModelAdmin[…]: Django's own classes take no type at run time

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()
env.read_env(os.environ.get("ENV_FILE", BASE_DIR / ".env"))

# Where this installation keeps everything that is not code.
DATA_DIR = Path(env.str("DATA_DIR", default="") or BASE_DIR / "data").resolve()
INSTALLED_ENV = DATA_DIR / "installed.env"
env.ENVIRON = ChainMap(os.environ, read_installed(INSTALLED_ENV))
STATIC_ROOT = DATA_DIR / "static"
STATIC_ROOT.mkdir(parents=True, exist_ok=True)
MEDIA_ROOT = DATA_DIR / "files"
MAIL_DIR = DATA_DIR / "mail"
BROKER_DIR = DATA_DIR / "broker"

PUBLIC_URL_GIVEN = bool(env.str("PUBLIC_URL", default=""))
PUBLIC_URL = (env.str("PUBLIC_URL", default="") or "http://127.0.0.1:8000").rstrip("/")
LOCAL = is_loopback(PUBLIC_URL)
SECURE = PUBLIC_URL.startswith("https://")
DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env.str("SECRET_KEY", default="") or (keys.own_key(DATA_DIR, "secret_key") if LOCAL else "")
LINK_KEY = env.str("LINK_KEY", default="") or (keys.own_key(DATA_DIR, "link_key") if LOCAL else "")
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
LINK_KEY_FALLBACKS = env.list("LINK_KEY_FALLBACKS", default=[])
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[]) or [
    urlsplit(PUBLIC_URL).hostname or "",
    *(["localhost", "127.0.0.1", "[::1]"] if LOCAL else []),
]
DATABASE_URL = env.str("DATABASE_URL", default="") or f"sqlite:///{DATA_DIR / 'arledger.sqlite3'}"
REDIS_URL = env.str("REDIS_URL", default="")
EMAIL_URL = env.str("EMAIL_URL", default="")
MAIL_FROM = env.str("MAIL_FROM", default="")
MAIL_PROVIDER = env.str("ANYMAIL_ESP", default="").lower()
MAIL_WEBHOOK_SECRET = env.str("ANYMAIL_WEBHOOK_SECRET", default="")
_esp = ESPS.get(MAIL_PROVIDER)
_esp_has = {
    key: value
    for key in ((*_esp.needs, *_esp.may_have) if _esp else ())
    if (value := env.str(f"ANYMAIL_{MAIL_PROVIDER.upper()}_{key}", default=""))
}

if _found := refusals(
    Configuration(
        public_url=PUBLIC_URL,
        secret_key=SECRET_KEY,
        link_key=LINK_KEY,
        fallback_keys=(*SECRET_KEY_FALLBACKS, *LINK_KEY_FALLBACKS),
        debug=DEBUG,
        allowed_hosts=tuple(ALLOWED_HOSTS),
        database_url=DATABASE_URL,
        redis_url=REDIS_URL,
        email_url=EMAIL_URL,
        mail_from=MAIL_FROM,
        mail_provider=MAIL_PROVIDER,
        mail_provider_has=tuple(_esp_has),
        mail_webhook_secret=MAIL_WEBHOOK_SECRET,
    )
):
    raise ImproperlyConfigured("\n".join(f"- {sentence}" for sentence in _found))

INSTALLED_APPS = [
    "core",
    "audit",
    "outbox",
    "policies",
    "clients",
    "invoices",
    "payments",
    "disputes",
    "ar_collections",
    "imports",
    "reports",
    "dashboard",
    "portal",
    "arledger",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.forms",
    "crispy_forms",
    "crispy_bootstrap5",
    "csp",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "invoices.middleware.PrintedByTheWorker",
]

ROOT_URLCONF = "arledger.urls"
WSGI_APPLICATION = "arledger.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "dashboard.context.frame",
            ],
        },
    },
]
FORM_RENDERER = "core.forms.Renderer"
CRISPY_ALLOWED_TEMPLATE_PACKS = "bootstrap5"
CRISPY_TEMPLATE_PACK = "bootstrap5"

# One writer at a time on SQLite: a transaction takes the write lock when it begins (IMMEDIATE) and waits 20 s for it.
# ATOMIC_REQUESTS stays off: it would make every page a writer.
SQLITE_OPTIONS = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": (
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA recursive_triggers=ON"
    ),
}
POSTGRESQL_OPTIONS = {
    "connect_timeout": 5,
    # Our questions are short and many: compiling one takes longer than answering it, and its memory is not given back.
    "options": "-c statement_timeout=60000 -c idle_in_transaction_session_timeout=60000 -c jit=off",
}
DATABASES = {"default": env.db_url_config(DATABASE_URL)}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = SQLITE_OPTIONS
else:
    DATABASES["default"]["OPTIONS"] = {**DATABASES["default"].get("OPTIONS", {}), **POSTGRESQL_OPTIONS}
    DATABASES["default"]["CONN_MAX_AGE"] = 60
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
# How often somebody tried is counted once for all processes: in Redis, or in files on the one machine there is.
CACHES = {
    "default": {
        "BACKEND": "core.counting.SharedFileCache",
        "LOCATION": DATA_DIR / "cache" / "counts",
        "OPTIONS": {"MAX_ENTRIES": 5000},
    }
}
if REDIS_URL:
    CACHES["default"] = {
        "BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL, "KEY_PREFIX": "arledger",
    }  # fmt: skip
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Mail: by a provider's API where ANYMAIL_ESP names one, by SMTP where EMAIL_URL names a server, else into files under
# MAIL_DIR. A provider without the webhook's secret is not heard: what it says of a mail could be anybody's.
MAIL_TRANSPORT = "provider" if MAIL_PROVIDER else "smtp" if EMAIL_URL else "file"
ANYMAIL = anymail_settings(MAIL_PROVIDER, _esp_has, MAIL_WEBHOOK_SECRET) if MAIL_PROVIDER else {}
MAIL_FROM = MAIL_FROM or "accounts-receivable@localhost"
MAIL_DOMAIN = env.str("MAIL_DOMAIN", default="") or MAIL_FROM.rpartition("@")[2].rstrip(">")
DEFAULT_FROM_EMAIL = SERVER_EMAIL = MAIL_FROM
EMAIL_TIMEOUT = 20
if EMAIL_URL:
    _mail = env.email_url_config(EMAIL_URL)
    EMAIL_BACKEND = _mail["EMAIL_BACKEND"]
    EMAIL_HOST = _mail["EMAIL_HOST"]
    EMAIL_HOST_USER = _mail["EMAIL_HOST_USER"] or ""
    EMAIL_HOST_PASSWORD = _mail["EMAIL_HOST_PASSWORD"] or ""
    EMAIL_USE_TLS = _mail.get("EMAIL_USE_TLS", False)
    EMAIL_USE_SSL = _mail.get("EMAIL_USE_SSL", False)
    EMAIL_PORT = _mail["EMAIL_PORT"] or (465 if EMAIL_USE_SSL else 587 if EMAIL_USE_TLS else 25)
else:
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = MAIL_DIR

# Card and wallet by a payment provider. A provider without its webhook secret is not offered: what it says could be
# anybody's. The sandbox lets whoever opens it «pay», so it lives on one's own machine only.
STRIPE_SECRET_KEY = env.str("STRIPE_SECRET_KEY", default="")
STRIPE_WEBHOOK_SECRET = env.str("STRIPE_WEBHOOK_SECRET", default="")
STRIPE_ACCOUNT = env.str("STRIPE_ACCOUNT", default="")
PAYMENT_SANDBOX = env.bool("PAYMENT_SANDBOX", default=LOCAL) and LOCAL
PAYMENT_PROVIDERS = [
    *(["stripe"] if STRIPE_SECRET_KEY and STRIPE_WEBHOOK_SECRET else []),
    *(["sandbox"] if PAYMENT_SANDBOX else []),
]

LANGUAGE_CODE = "en"  # the desk; what a client reads is in the client's language, whatever a browser asks for
LANGUAGES = [("en", _("English")), ("de", _("German")), ("fr", _("French"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"  # instants; business dates are local dates of the issuing company

# In production the files are collected once, with hashed names; on one's own machine they are served where they lie.
STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = LOCAL
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if LOCAL
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
FILE_UPLOAD_PERMISSIONS = 0o600
FILE_UPLOAD_HANDLERS = [
    "core.uploads.AtMostTenMegabytes",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]
FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o700

LOGIN_URL = "/account/login/"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/account/login/"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        # A form that begins a payment leads on to the provider's page.
        "form-action": ["'self'", *(["https://checkout.stripe.com"] if "stripe" in PAYMENT_PROVIDERS else [])],
        "base-uri": ["'none'"],
        "object-src": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
}
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_NAME = "__Host-sessionid" if SECURE else "sessionid"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
CSRF_FAILURE_VIEW = "arledger.errors.form_too_old"
SECURE_SSL_REDIRECT = SECURE
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = SECURE
if env.bool("TRUST_PROXY", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"mask_link_tokens": {"()": "arledger.logs.MaskLinkTokens"}},
    "formatters": {
        "line": {"()": "arledger.logs.UTCFormatter", "format": "%(asctime)sZ %(levelname)s %(name)s %(message)s"}
    },
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["mask_link_tokens"]},
    },
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
    "loggers": {
        "django": {"handlers": ["console"], "level": "INFO", "propagate": False},
        "django.server": {"handlers": ["console"], "level": "INFO", "propagate": False},
        # Every quarter of a minute a tick: worth a line when it goes wrong. When it last ran stands in the database.
        "celery.beat": {"level": "WARNING"},
        "celery.worker.strategy": {"level": "WARNING"},
        "celery.app.trace": {"level": "WARNING"},
        "fontTools": {"level": "ERROR"},
        "weasyprint": {"level": "ERROR"},
    },
}
