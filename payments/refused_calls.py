"""How many calls in a provider's name were refused within a day: all that is kept of them."""

from __future__ import annotations

import logging

from django.core.cache import cache
from redis import RedisError

log = logging.getLogger(__name__)

A_DAY = 24 * 3600


def count_refused(provider: str) -> int:
    """Count one more; how many there were within a day of the first."""
    try:
        cache.add(_key(provider), 0, A_DAY)
        return int(cache.incr(_key(provider)))
    except ValueError:  # it ran out between the two lines
        return 1
    except (OSError, RedisError) as why:
        log.warning("refused calls cannot be counted: %s", why)
        return 1


def refused_calls(provider: str) -> int:
    """How many calls in a provider's name were refused lately."""
    try:
        return int(cache.get(_key(provider), 0))
    except (OSError, RedisError):
        return 0


def _key(provider: str) -> str:
    return f"refused-calls:{provider}"
