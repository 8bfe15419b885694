"""Where the mail provider tells what became of a mail; without the secret nobody is heard."""

from __future__ import annotations

import json
import logging
from types import SimpleNamespace
from typing import Any

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
CANNOT_BE_READ = (
    ValueError, LookupError, TypeError, AttributeError, NotImplementedError, SuspiciousOperation,
    AnymailConfigurationError,
)  # fmt: skip
CALLS_AT_MOST = 6000  # by one address within ten minutes; a batch of reminders is heard of mail by mail


@csrf_exempt
@require_POST
def hook(request: HttpRequest, provider: str) -> HttpResponse:
    """Hear what became of our mails. 404 for any but the provider that is set up with its secret.

    Heard twice changes nothing, so whatever goes wrong in between may be told again (503). What of a batch cannot be
    read is left out; the rest is heard.
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
    view = import_string(f"anymail.webhooks.{provider}.{ESPS[provider].tracking}")()
    try:
        view.run_validators(request)
        calls = _one_by_one(request)
    except AnymailWebhookValidationFailure as why:
        n = count_refused(f"mail-{provider}")
        log.warning("a call in the name of %s was refused: %s (%d within a day)", provider, why, n)
        return _answer("not genuine", 400)
    except CANNOT_BE_READ as why:
        log.error("what %s tells cannot be read: %r", provider, why)
        return _answer("not understood", 400)
    heard = [_hear(view, one, provider) for one in calls]
    if "try again" in heard:
        return _answer("try again", 503)
    if heard and "heard" not in heard:
        return _answer("not understood", 400)
    return _answer("heard", 200)


def _one_by_one(request: HttpRequest) -> list[Any]:
    """A call that tells of many mails as calls that tell of one each, so that one of them spoils no other."""
    if request.content_type != "application/json":
        return [request]
    told = json.loads(request.body)
    if isinstance(told, list):
        bodies = [[one] for one in told] or [[]]
    elif isinstance(told, dict) and isinstance(told.get("events"), list):
        bodies = [told | {"events": [one]} for one in told["events"]] or [told]
    else:
        return [request]
    return [SimpleNamespace(body=json.dumps(body).encode(), content_type="application/json") for body in bodies]


def _hear(view: Any, call: Any, provider: str) -> str:
    """Hear what one call tells; «heard», «not understood», or «try again» while the mail is handed over."""
    try:
        for event in view.parse_events(call):
            view.signal.send(sender=type(view), event=event, esp_name=view.esp_name)
    except TooEarly as why:
        log.info("%s is handed over at this moment; %s tells again", why, provider)
        return "try again"
    except CANNOT_BE_READ as why:
        log.error("what %s tells of one mail cannot be read: %r", provider, why)
        return "not understood"
    return "heard"


def _answer(words: str, status: int) -> HttpResponse:
    return HttpResponse(words, content_type="text/plain", status=status, headers={"Cache-Control": "no-store"})
