"""What a safe start needs, as rules over plain values: no Django, no environment, no files.

settings.py refuses to start on any of these; the tests walk through them one by one.
"""

from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from outbox.esps import ESPS

SHORTEST_KEY = 50
FEWEST_DIFFERENT_CHARACTERS = 10
KNOWN_KEY_WORDS = ("django-insecure", "changeme", "change-me", "change_me", "secret-key", "your-", "example")
DATABASE_SCHEMES = ("sqlite", "postgres", "postgresql", "psql", "pgsql")
SHORTEST_SECRET = 20
MAIL_SCHEMES = ("smtp", "smtp+tls", "smtp+ssl", "smtps")


@dataclass(frozen=True)
class Configuration:
    """The values an operator sets, as they were read."""

    public_url: str
    secret_key: str
    link_key: str
    debug: bool
    allowed_hosts: tuple[str, ...]
    database_url: str
    redis_url: str
    email_url: str
    mail_from: str
    fallback_keys: tuple[str, ...] = ()
    mail_provider: str = ""
    mail_provider_has: tuple[str, ...] = ()
    mail_webhook_secret: str = ""


def is_loopback(url: str) -> bool:
    """Whether an address can be opened on this machine only.

    >>> is_loopback("http://127.0.0.1:8000"), is_loopback("http://localhost"), is_loopback("https://ar.firm.eu")
    (True, True, False)
    """
    host = urlsplit(url).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def weakness(key: str) -> str:
    """Why a key is too weak to sign with, in words; empty when it is strong enough.

    >>> weakness("")
    'is not set'
    >>> weakness("abc")
    'is too short (3 characters, at least 50)'
    """
    if not key:
        return "is not set"
    if any(word in key.lower() for word in KNOWN_KEY_WORDS):
        return "is an example value that everybody knows"
    if len(key) < SHORTEST_KEY:
        return f"is too short ({len(key)} characters, at least {SHORTEST_KEY})"
    if len(set(key)) < FEWEST_DIFFERENT_CHARACTERS:
        return f"repeats itself ({len(set(key))} different characters, at least {FEWEST_DIFFERENT_CHARACTERS})"
    return ""


def refusals(given: Configuration) -> list[str]:
    """Every reason not to start, each a sentence that names the variable and says what to do.

    A public address on loopback means one person's own machine; anything else is production and held to more.
    """
    found = _wrong_addresses(given)
    if not found and not is_loopback(given.public_url):
        found = _unsafe_in_production(given)
    return found + _wrong_mail(given) + _wrong_provider(given)


def _wrong_addresses(given: Configuration) -> list[str]:
    found = []
    public = urlsplit(given.public_url)
    more = public.path.strip("/") or public.query or public.fragment or public.username
    if public.scheme not in ("http", "https") or not public.hostname or more:
        found.append(
            f"PUBLIC_URL is {given.public_url!r}: give the whole address that clients open and no path, "
            "such as https://ar.firm.eu"
        )
    scheme = urlsplit(given.database_url).scheme
    if scheme not in DATABASE_SCHEMES:
        found.append(f"DATABASE_URL begins with {scheme!r}: only sqlite:/// and postgres:// are supported.")
    if given.redis_url and urlsplit(given.redis_url).scheme not in ("redis", "rediss", "unix"):
        found.append("REDIS_URL must begin with redis://, rediss:// or unix://; leave it empty to run without Redis.")
    return found


def _unsafe_in_production(given: Configuration) -> list[str]:
    found = []
    advice = 'Make one with: python3 -c "import secrets; print(secrets.token_urlsafe(64))"'
    for name, key in (("SECRET_KEY", given.secret_key), ("LINK_KEY", given.link_key)):
        if why := weakness(key):
            found.append(f"{name} {why}. {advice}")
    for key in given.fallback_keys:
        if why := weakness(key):
            found.append(f"A key in SECRET_KEY_FALLBACKS or LINK_KEY_FALLBACKS {why}: it still opens doors. Remove it.")
    if given.secret_key and given.secret_key == given.link_key:
        found.append(f"LINK_KEY equals SECRET_KEY: each needs its own value. {advice}")
    if given.debug:
        found.append("DEBUG is on: error pages would show data to everybody. Remove DEBUG or set it to false.")
    if "*" in given.allowed_hosts:
        found.append("ALLOWED_HOSTS contains '*': name the hosts, separated by commas.")
    public = urlsplit(given.public_url)
    if "*" not in given.allowed_hosts and not _is_served(public.hostname or "", given.allowed_hosts):
        found.append(f"ALLOWED_HOSTS does not contain {public.hostname!r}, the host of PUBLIC_URL: add it.")
    if public.scheme != "https":
        found.append(
            f"PUBLIC_URL is {given.public_url!r}: links to invoices travel by https only. "
            "Put a proxy with a certificate in front and give the https address."
        )
    return found


def _is_served(host: str, allowed: tuple[str, ...]) -> bool:
    return any(host == name or (name.startswith(".") and (host.endswith(name) or host == name[1:])) for name in allowed)


def _wrong_mail(given: Configuration) -> list[str]:
    if not given.email_url:
        return []
    found = []
    mail = urlsplit(given.email_url)
    if mail.scheme not in MAIL_SCHEMES or not mail.hostname:
        found.append(
            "EMAIL_URL must look like smtp+tls://user:password@mail.firm.eu:587; leave it empty to write mail to files."
        )
    if not given.mail_from:
        found.append("MAIL_FROM is not set: with EMAIL_URL the sender's address is needed, such as ar@firm.eu.")
    if is_loopback(given.public_url):
        found.append(
            f"EMAIL_URL is set while PUBLIC_URL is {given.public_url!r}: clients would get links that only this "
            "machine can open. Set PUBLIC_URL to the address that clients reach, or remove EMAIL_URL."
        )
    return found


def _wrong_provider(given: Configuration) -> list[str]:
    name = given.mail_provider
    if not name:
        return []
    if name not in ESPS:
        return [f"ANYMAIL_ESP is {name!r}: the mail providers that are known are {', '.join(sorted(ESPS))}."]
    found = [
        f"ANYMAIL_{name.upper()}_{key} is not set: {ESPS[name].label} does not work without it."
        for key in ESPS[name].needs if key not in given.mail_provider_has
    ]  # fmt: skip
    if given.email_url:
        found.append("EMAIL_URL and ANYMAIL_ESP are both set: mail leaves one way. Remove one of them.")
    if not given.mail_from:
        found.append("MAIL_FROM is not set: with ANYMAIL_ESP the sender's address is needed, such as ar@firm.eu.")
    user, colon, password = given.mail_webhook_secret.partition(":")
    if given.mail_webhook_secret and not (user and colon and len(password) >= SHORTEST_SECRET):
        found.append(
            "ANYMAIL_WEBHOOK_SECRET must be user:password with at least "
            f"{SHORTEST_SECRET} characters of password: whoever knows it can say that mails came back."
        )
    if is_loopback(given.public_url):
        found.append(
            f"ANYMAIL_ESP is set while PUBLIC_URL is {given.public_url!r}: clients would get links that only this "
            "machine can open. Set PUBLIC_URL to the address that clients reach, or remove ANYMAIL_ESP."
        )
    return found
