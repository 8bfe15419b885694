"""Where payment providers call: what they signed is heard, everything else is counted and forgotten."""

from __future__ import annotations

import logging

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from payments.providers import NotGenuine, Unreachable, providers
from payments.refused_calls import count_refused
from payments.services.hearing import receive

from .limits import address_of, too_many

log = logging.getLogger(__name__)

LARGEST = 256 * 1024  # bytes; the largest word of a provider has a tenth of that
CALLS_AT_MOST = 1200  # by one address within ten minutes


@csrf_exempt
@require_POST
def hook(request: HttpRequest, provider: str) -> HttpResponse:
    """Hear a provider. 404 where it is not set up with its secret; what has a wrong signature leaves nothing behind."""
    found = providers().get(provider)
    if found is None:
        raise Http404
    if too_many("hook", address_of(request), CALLS_AT_MOST):
        return _answer("too many calls", 429)
    body = request.read(LARGEST + 1)
    if len(body) > LARGEST:
        return _answer("too large", 413)
    at = timezone.now()
    try:
        receive(found, body, request.headers, at=at)
    except NotGenuine as why:
        n = count_refused(provider)
        log.warning("a call in the name of %s was refused: %s (%d within a day)", provider, why, n)
        return _answer("not genuine", 400)
    except (ValueError, KeyError, TypeError, ArithmeticError) as why:
        log.error("a signed call of %s cannot be read: %r", provider, why)
        return _answer("not understood", 400)
    except Unreachable as why:
        log.warning("%s has to be asked and does not answer: %s", provider, why)
        return _answer("try again", 503)
    return _answer("heard", 200)


def _answer(words: str, status: int) -> HttpResponse:
    return HttpResponse(words, content_type="text/plain", status=status, headers={"Cache-Control": "no-store"})
