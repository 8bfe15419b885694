"""Credit checks: entered by hand, uploaded as a file, or ordered from a provider; a valid one is not bought twice."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from audit.services import record
from clients.check_files import CheckRow, Trouble, read_checks
from clients.file_types import LARGEST
from clients.models import Client, CreditCheck
from clients.providers import provider_called
from core.errors import Refused
from core.models import Company, as_text
from core.money import currency_codes, is_exact
from policies.credit import credit_policy_of
from policies.flags import FLAGS

from .filing import add_document
from .locking import lock_client

FACTS = (
    "provider", "reference", "checked_on", "valid_until", "score", "scale_low", "scale_high", "rating",
    "recommended_limit", "currency", "findings", "flags", "raw",
)  # fmt: skip
SHOWN = 5  # wrong cells named in the sentence; all of them are in ``troubles``


class ChecksRefused(Refused):
    """A file of checks was refused whole; ``troubles`` names every cell that is wrong."""

    def __init__(self, troubles: Sequence[Trouble]) -> None:
        first = troubles[0]
        named = "; ".join(f"line {t.line}, {t.field}: {t.message}" for t in troubles[:SHOWN])
        more = f" … and {len(troubles) - SHOWN} more" if len(troubles) > SHOWN else ""
        super().__init__(
            f"Nothing was saved. {named[:1].upper()}{named[1:]}{more}", code="bad_rows",
            where=f"{first.line}: {first.field}",
        )
        self.troubles = tuple(troubles)


def valid_check(client: Client, on: dt.date, provider: str = "") -> CreditCheck | None:
    """The newest check that is valid on a day, of one provider or of any."""
    checks = CreditCheck.objects.filter(client=client, checked_on__lte=on, valid_until__gte=on)
    return (checks.filter(provider__iexact=provider) if provider else checks).first()


def enter_check(
    client: Client, facts: Mapping[str, Any], *, again: bool = False, on: dt.date, by: Any,
    documents: Sequence[tuple[str, bytes]] = (),
) -> CreditCheck:
    """Keep what a provider, or a person, found out about a client, with its documents as (name, bytes).

    ``facts``: provider (needed), reference, checked_on (today), valid_until (by the credit policy), score with
    scale_low (worst) and scale_high (best; the scale may run downwards), rating, recommended_limit in whole units of
    currency (the client's), findings, flags. Refused (still_valid) where a check of that provider is still valid,
    unless ``again``; and by field where a fact makes no sense.
    """
    unknown = sorted(facts.keys() - set(FACTS))
    if unknown:
        raise Refused(f"A credit check has no “{unknown[0]}”.", where=unknown[0])
    with transaction.atomic():
        lock_client(client.pk)
        check = _check_from(client, facts, on, by)
        if not again:
            refuse_still_valid(client, check.provider, on)
        check.save()
        for name, content in documents:
            add_document(client, name, content, "credit_check", credit_check=check, by=by)
        record(by, "credit_check_entered", check, client_id=client.pk, summary=str(check))
    return check


def refuse_still_valid(client: Client, provider: str, on: dt.date) -> None:
    """Ask before a check is bought again: Refused (still_valid) where one of that provider still counts."""
    standing = valid_check(client, on, provider)
    if standing is not None:
        raise Refused(
            f"{standing.provider} checked this client on {standing.checked_on.isoformat()}, and that is valid until "
            f"{standing.valid_until.isoformat()}. Use it, or say that a new one is wanted all the same.",
            code="still_valid", where="provider",
        )


def order_check(client: Client, provider: str, *, again: bool = False, on: dt.date, by: Any) -> CreditCheck:
    """Ask a provider about a client now and keep its answer; a check still valid is not bought again unasked.

    The provider is asked outside of any transaction. Refused as in ``enter_check``, and where nobody of that name
    can be asked.
    """
    asked = provider_called(provider)
    if not again:
        refuse_still_valid(client, asked.name, on)
    found = asked.fetch(client)
    facts = {"checked_on": on, **found.facts, "provider": asked.name}
    return enter_check(client, facts, again=again, on=on, by=by, documents=found.documents)


def upload_checks(
    content: bytes, media: str, *, company: Company | None = None, client: Client | None = None, on: dt.date, by: Any,
    dry_run: bool = False,
) -> dict[str, int]:
    """Enter every check of a file (``media`` json or csv), or none of them; what is here already is left as it is.

    The checks are of ``client``, or of the clients of ``company`` whose numbers the file names. Refused
    (ChecksRefused) with line and field of all that is wrong. Answers rows, created, unchanged.
    """
    if media not in ("json", "csv"):
        raise Refused("Credit checks are uploaded as JSON or CSV.", code="type", where="file")
    if len(content) > LARGEST:
        raise Refused("The file is over 10 MB; split it.", code="too_large", where="file")
    rows, troubles = read_checks(content, media)
    clients = _clients_of(rows, company, client)
    answer = {"rows": len(rows), "created": 0, "unchanged": 0}
    wrong_lines = {trouble.line for trouble in troubles}
    with transaction.atomic():
        for pk in sorted(known.pk for known in clients.values()):
            lock_client(pk)
        for row in rows:
            if row.line in wrong_lines:
                continue
            try:
                answer[_enter_row(row, _client_of(row, clients, client), on, by)] += 1
            except Refused as refused:
                value = str(row.raw.get(refused.where, ""))[:80]
                troubles.append(Trouble(row.line, refused.where, value, refused.message))
        if troubles:
            raise ChecksRefused(sorted(troubles, key=lambda trouble: trouble.line))
        if dry_run:
            transaction.set_rollback(True)
    return answer


def _clients_of(rows: Sequence[CheckRow], company: Company | None, client: Client | None) -> dict[str, Client]:
    if client is not None:
        return {client.number: client}
    if company is None:
        raise Refused("Say of which client or company the checks are.", code="company", where="company")
    wanted = sorted({row.client for row in rows})
    return {
        known.number: known
        for start in range(0, len(wanted), 500)
        for known in Client.objects.filter(company=company, number__in=wanted[start : start + 500])
    }


def _client_of(row: CheckRow, clients: Mapping[str, Client], only: Client | None) -> Client:
    if only is not None and row.client in ("", only.number):
        return only
    if row.client in clients:
        return clients[row.client]
    if only is not None:
        raise Refused(f"This check is of client {row.client}, not of {only.number}.", where="client")
    if not row.client:
        raise Refused("Say by its number which client was checked.", where="client")
    raise Refused(f"There is no client {row.client} here; add it first, or correct the number.", where="client")


def _enter_row(row: CheckRow, client: Client, on: dt.date, by: Any) -> str:
    """Enter a check of a file, unless just this one is here; what was paid for is not refused for being valid.

    The client is locked; few questions a row, because a browser waits and nobody else writes meanwhile.
    """
    check = _check_from(client, row.facts, on, by, is_new=False)
    same = CreditCheck.objects.filter(client=client, provider=check.provider, reference=check.reference)
    compared = [name for name in FACTS if name not in ("raw", "valid_until" if "valid_until" not in row.facts else "")]
    there = list(same if check.reference else same.filter(checked_on=check.checked_on))
    for standing in there:
        if standing.checked_on == check.checked_on and all(
            getattr(standing, name) == getattr(check, name) for name in compared
        ):
            return "unchanged"
    if check.reference and there:
        raise _on_file(check)
    check.raw = {key: value for key, value in row.raw.items() if value not in ("", None)}
    check.save()
    record(by, "credit_check_entered", check, client_id=client.pk, summary=str(check))
    return "created"


def _on_file(check: CreditCheck) -> Refused:
    message = f"{check.provider}'s check {check.reference} is on file already; a check is never changed."
    return Refused(message, code="same_reference", where="reference")


def _check_from(client: Client, facts: Mapping[str, Any], on: dt.date, by: Any, *, is_new: bool = True) -> CreditCheck:
    """The check as it would be kept. Refused by field."""
    said = {name: value for name, value in facts.items() if value is not None and value != ""}
    provider = str(said.pop("provider", "")).strip()
    if not provider:
        raise Refused("Say who checked: a provider, or your own house.", code="required", where="provider")
    checked_on = said.pop("checked_on", on)
    if checked_on > on:
        raise Refused("A check of a day to come is none yet; correct the day.", where="checked_on")
    lasts = dt.timedelta(days=credit_policy_of(client.company, on).check_valid_days)
    valid_until = said.pop("valid_until", checked_on + lasts)
    if valid_until < checked_on:
        raise Refused("It would end before the day of the check; correct one of the two.", where="valid_until")
    currency = str(said.pop("currency", client.currency)).upper()
    limit = said.get("recommended_limit")
    if currency not in currency_codes():
        raise Refused(f"“{currency}” is not a currency; write EUR, USD or another code.", where="currency")
    if limit is not None and (limit < 0 or not is_exact(limit, currency)):
        message = f"A recommended limit is zero or more, in the places {currency} has."
        raise Refused(message, where="recommended_limit")
    _check_scale(said)
    flags = list(dict.fromkeys(said.pop("flags", ())))
    for flag in flags:
        if flag not in dict(FLAGS):
            known = ", ".join(dict(FLAGS))
            raise Refused(f"“{flag}” is not a flag; known are {known}.", where="flags")
    check = CreditCheck(
        client=client, provider=provider, checked_on=checked_on, valid_until=valid_until, currency=currency,
        flags=flags, entered_by=as_text(by)[:150], **said,
    )
    try:
        check.clean_fields(exclude=["flags", "raw"])
    except ValidationError as error:
        where, messages = next(iter(error.message_dict.items()))
        raise Refused(" ".join(messages), code="invalid", where=where) from None
    reference = {"client": client, "provider": provider, "reference": check.reference}
    if is_new and check.reference and CreditCheck.objects.filter(**reference).exists():
        raise _on_file(check)
    return check


def _check_scale(said: Mapping[str, Any]) -> None:
    low, high = said.get("scale_low", Decimal(0)), said.get("scale_high", Decimal(100))
    if low == high:
        raise Refused("A scale has two ends: its worst and its best score.", where="scale_high")
    score = said.get("score")
    if score is not None and not min(low, high) <= score <= max(low, high):
        raise Refused(
            f"A score of {score} lies outside its scale, {low} (worst) to {high} (best); give the scale it is on.",
            where="score",
        )
