"""Where the mail provider tells what became of a mail; without the secret nobody is heard."""

from __future__ import annotations

import logging

from anymail.exceptions import AnymailConfigurationError, AnymailWebhookValidationFailure
from django.conf import settings
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.module_loading import import_string
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from outbox.esps import ESPS
from outbox.hearing import TooEarly
from payments.refused_calls import count_refused

from .limits import address_of, too_many

log = logging.getLogger(__name__)

LARGEST = 1024 * 1024  # bytes; a provider may tell of a thousand mails at once
CALLS_AT_MOST = 6000  # by one address within ten minutes; a batch of reminders is heard of mail by mail


@csrf_exempt
@require_POST
def hook(request: HttpRequest, provider: str) -> HttpResponse:
    """Hear what became of our mails. 404 for any but the provider that is set up with its secret.

    Heard twice changes nothing, so whatever goes wrong in between may be told again (503).
    """
    if provider != settings.MAIL_PROVIDER or provider not in ESPS or not settings.MAIL_WEBHOOK_SECRET:
        raise Http404
    if too_many("mail_hook", address_of(request), CALLS_AT_MOST):
        return _answer("too many calls", 429)
    try:
        too_large = len(request.body) > LARGEST  # Django itself reads no more than some megabytes
    except RequestDataTooBig:
        too_large = True
    if too_large:
        return _answer("too large", 413)
    view = import_string(f"anymail.webhooks.{provider}.{ESPS[provider].tracking}").as_view()
    try:
        view(request)
    except AnymailWebhookValidationFailure as why:
        n = count_refused(f"mail-{provider}")
        log.warning("a call in the name of %s was refused: %s (%d within a day)", provider, why, n)
        return _answer("not genuine", 400)
    except TooEarly as why:
        log.info("%s is handed over at this moment; %s tells again", why, provider)
        return _answer("try again", 503)
    except (ValueError, KeyError, TypeError, AttributeError, SuspiciousOperation, AnymailConfigurationError) as why:
        log.error("what %s tells cannot be read: %r", provider, why)
        return _answer("not understood", 400)
    return _answer("heard", 200)


def _answer(words: str, status: int) -> HttpResponse:
    return HttpResponse(words, content_type="text/plain", status=status, headers={"Cache-Control": "no-store"})
