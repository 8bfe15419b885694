"""How often one may try: counted for all processes, so that guessing links or flooding a desk gets nowhere."""

from __future__ import annotations

import logging

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest
from redis import RedisError

log = logging.getLogger(__name__)

TEN_MINUTES = 600


def address_of(request: HttpRequest) -> str:
    """Where a request comes from; behind a trusted proxy, what the proxy itself saw (the last hop it wrote down)."""
    if settings.SECURE_PROXY_SSL_HEADER:
        hops = request.headers.get("X-Forwarded-For", "").split(",")
        if hops[-1].strip():
            return hops[-1].strip()
    return str(request.META.get("REMOTE_ADDR", ""))


def too_many(what: str, who: str, limit: int, seconds: int = TEN_MINUTES) -> bool:
    """Count one attempt of an address or a link; whether it is above the limit within so many seconds."""
    key = f"portal:{what}:{who}"[:200].replace(" ", "")
    try:
        cache.add(key, 0, seconds)
        return cache.incr(key) > limit
    except ValueError:  # it ran out between the two lines
        return False
    except (OSError, RedisError) as why:  # a client's page opens also while nothing can be counted
        log.warning("attempts cannot be counted: %s", why)
        return False
