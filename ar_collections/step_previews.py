"""Words for a step tried out: on made-up facts, on a client as things stand, as a test to oneself. Nothing is kept."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django.utils import translation
from django.utils.translation import gettext as _

from audit.services import record
from clients.models import Client, Contact
from core.errors import Refused
from core.models import Company
from core.services import today
from invoices.documents import buyer_facts, seller_facts
from invoices.interest import InterestLine, rounded
from invoices.mail_previews import marked
from invoices.models import Invoice
from invoices.paying import freeze_ways
from invoices.pdf import PDF
from invoices.services.linking import only_looking
from outbox.kinds import Composed, Kind, NothingToSay, register
from outbox.models import Message
from outbox.services import enqueue
from policies.models import Policy, Step, StepText
from policies.services import rule_of
from policies.step_previews import Reader
from policies.step_texts import example_of

from .mails import written
from .notice_facts import NOTHING, Item, Reminder, asked_of, gather
from .notice_letters import letter_of
from .own_words import subject_for
from .services.deciding import NOTICE
from .subjects import Subject
from .wording import Facts, manner_of, paragraphs_of, subject_of

KIND = "step_text_test"
NOBODY = -1  # the id of made-up rows: nothing in the book belongs to them
MOST_READERS = 30


def register_step_previews() -> None:
    """Make the outbox know the kind, and the admin who writes reminders."""
    from policies import step_previews

    register(Kind(KIND, compose=compose_test))
    step_previews.register(StepPreviews())


class StepPreviews:
    """What the admin asks of the writer of reminders (policies.step_previews.Previews)."""

    def readers(self, policy: Policy, text: StepText, on: dt.date) -> list[Reader]:
        """Clients the step goes to today, then others who owe something overdue, oldest first."""
        codes = {step.code for step in steps_meant(policy, text)}
        todays = Message.objects.filter(kind=NOTICE, on=on).exclude(state="cancelled").order_by("pk")
        goes = [
            payload["client"] for payload in todays.values_list("payload", flat=True).iterator()
            if codes & {code for _pk, code, _cycle in payload["items"]}
        ][:MOST_READERS]
        overdue = Invoice.objects.open().filter(due_on__lt=on).order_by("due_on", "pk").values_list("client", flat=True)
        wanted = list(dict.fromkeys([*goes, *overdue[: 4 * MOST_READERS]]))[:MOST_READERS]
        found = Client.objects.in_bulk(wanted)
        return [Reader(pk, found[pk].name, pk in goes) for pk in wanted if pk in found]

    def shipped(self, policy: Policy, text: StepText) -> tuple[str, str]:
        """Subject and text as shipped for a step, with the names where the facts will stand."""
        meant = steps_meant(policy, text)
        if not meant:
            return "", ""
        with translation.override(text.language):
            return _as_shipped(meant[0])

    def written(
        self, policy: Policy, text: StepText, company: Company, client: int | None, now: dt.datetime
    ) -> Composed:
        """The mail, without what would be attached."""
        with _about(policy, text, company, client, now) as reminder:
            return written(reminder, now, text.language, files=_none)

    def letter(self, policy: Policy, text: StepText, company: Company, client: int | None, now: dt.datetime) -> bytes:
        """The same words on paper."""
        with _about(policy, text, company, client, now) as reminder:
            return letter_of(reminder, subject_for(reminder, text.language))

    def send_test(
        self, policy: Policy, text: StepText, company: Company, client: int | None, *, to: str, key: str,
        now: dt.datetime, by: Any,
    ) -> Message:
        """Mail it to a member of staff; it is no message to the client. Refused for somebody without an address."""
        if not to:
            raise Refused(
                _("Your account has no e-mail address; enter it in the settings, then the test reaches you."),
                code="no_address",
            )
        self.written(policy, text, company, client, now)  # what cannot be written is refused here, not in the outbox
        payload = {
            "policy": policy.pk, "step": text.step, "tone": text.tone, "language": text.language,
            "subject": text.subject, "text": text.text, "company": company.pk, "client": client, "to": to,
        }
        message = enqueue(f"test:step:{policy.pk}:{key}"[:200], KIND, "", today(company, now), payload, now)
        record(by, "test_mail", policy, client_id=client, summary=f"test of {text} to {to}")
        return message


def compose_test(message: Message, now: dt.datetime) -> Composed:
    """The reminder in the words tried out, marked as a test; the address in it opens nothing."""
    told = message.payload
    policy, company = Policy.objects.get(pk=told["policy"]), Company.objects.get(pk=told["company"])
    text = StepText(policy_name=policy.name, **{name: told[name] for name in _WORDS})
    with _about(policy, text, company, told["client"], now) as reminder:
        mail = written(reminder, now, text.language, files=_letter_if_any)
        first = _("This is a test. %(who)s has not got it; the private link in it opens nothing.") % {
            "who": f"{reminder.to.name} <{reminder.to.email}>"
        }
        subject = _("Test: %(subject)s") % {"subject": mail.subject}
    return replace(
        mail, to_name="", to_addr=told["to"], cc_addr="", more_copies=(), reply_to="", subject=subject,
        text=f"{first}\n\n{mail.text}", html=marked(mail.html, first),
    )  # fmt: skip


_WORDS = ("step", "tone", "language", "subject", "text")


def steps_meant(policy: Policy, text: StepText) -> list[Step]:
    """The steps that words are for: the one named, or every one that is sent in the tone."""
    mailed = [step for step in policy.steps.all() if step.sends_mail and step.tone == text.tone]
    return [step for step in mailed if not text.step or step.code == text.step]


@contextmanager
def _about(
    policy: Policy, text: StepText, company: Company, client: int | None, now: dt.datetime
) -> Iterator[Reminder]:
    """The reminder in its language, while only looked at: no link is made."""
    meant = steps_meant(policy, text)
    if not meant:
        raise Refused(_("This policy sends nothing in this tone; choose another."), where="tone")
    with only_looking(), translation.override(text.language):
        yield _of_client(policy, text, client, meant[0], now) if client else _sample(text, company, meant[0], now)


def _of_client(policy: Policy, text: StepText, client_pk: int, step: Step, now: dt.datetime) -> Reminder:
    """What the client would be told today, if the step were served with everything that is due by then."""
    client = Client.objects.select_related("company", "owner", "segment").get(pk=client_pk)
    on = today(client.company, now)
    last = on - dt.timedelta(days=1) if step.offset_days >= 0 else on + dt.timedelta(days=-step.offset_days)
    rows = [row for row in asked_of(client, on) if row.owed > row.disputed and row.due_day <= last]
    if step.offset_days < 0:
        rows = [row for row in rows if row.due_day >= on] or rows
    message = Message(kind=NOTICE, party=f"client:{client.pk}", on=on, payload={
        "client": client.pk, "items": [[row.pk, step.code, 1] for row in rows],
        "parts": {str(row.pk): row.part_now for row in rows},
    })  # fmt: skip
    message.__dict__["about"] = Subject(client, policy, {step.code: step})
    message.__dict__["draft"] = text
    try:
        reminder = gather(message, now)
    except NothingToSay:
        raise Refused(
            _("There is nothing to remind %(client)s of today; choose another, or the sample.")
            % {"client": client.name},
            where="client",
        ) from None
    reminder.to.language = text.language
    return reminder


def _sample(text: StepText, company: Company, step: Step, now: dt.datetime) -> Reminder:
    """Two made-up invoices of a made-up client, as late as the step is."""
    on = today(company, now)
    client = Client(
        pk=NOBODY, company=company, number="C-0042", name=example_of("client", "en"), currency=company.currency,
        country=company.country, language=text.language, street="Speicherstadt 14", postal_code="20457", city="Hamburg",
    )
    to = Contact(
        pk=NOBODY, client=client, name=example_of("contact", "en"), email="ap@northwind.example",
        language=text.language,
    )
    policy = step.policy
    rule = rule_of(policy.interest, on)
    due = on - dt.timedelta(days=step.offset_days)
    items = []
    for place, (number, total, days_ago) in enumerate((("LO-2041", "1240.00", 0), ("LO-2057", "624.20", -3))):
        due_on = due + dt.timedelta(days=-days_ago if step.offset_days < 4 else days_ago)
        invoice = Invoice(
            pk=NOBODY - place, company=company, client=client, contact=to, number=number, total=Decimal(total),
            currency=company.currency, issued_on=due_on - dt.timedelta(days=30), due_on=due_on,
            late_percent=Decimal("9.12"), balance=Decimal(total),
        )
        invoice.frozen = {
            "language": text.language, "paper": company.paper, "design": company.design, "terms": "",
            "seller": seller_facts(company), "buyer": buyer_facts(client, to), **freeze_ways(invoice),
        }
        earned = (_earned(Decimal(total), on),) if step.claims_interest and rule.charges else ()
        since = due_on + dt.timedelta(days=1) if rule.charges and rule.starts != "notice" else None
        items.append(
            Item(
                invoice, Decimal(total), NOTHING, step, due_on=due_on, whole=Decimal(total), rule=rule, reminded=2,
                interest=sum((rounded(line.exact, 2) for line in earned), NOTHING), earned=earned,
                starts_on=since if since and since <= on else None,
            )
        )
    return Reminder(client, to, [], step, items, {}, on, draft=text)


def _earned(balance: Decimal, on: dt.date) -> InterestLine:
    """Nine days at the rate of the made-up terms."""
    exact = Fraction(balance) * 9 * Fraction("9.12") / 36500
    return InterestLine(on - dt.timedelta(days=8), on, 9, balance, Decimal("9.12"), "", exact)


def _as_shipped(step: Step) -> tuple[str, str]:
    facts = Facts(
        count=1, number="{{ number }}", total="{{ total }}",
        owed="{{ owed }}" if step.claims_interest or step.fee else "", due="{{ due }}", oldest_due="{{ due }}",
        pay_by="{{ pay_by }}" if step.pay_within_days else "",
        interest_notice="{{ interest_notice }}" if step.interest_notice_days else "",
        interest="{{ interest }}" if step.claims_interest else "", fees="{{ fees }}" if step.fee else "",
        by_post=step.channel == "letter", cash_only=step.sets_cash_only, reminders_before=1,
    )
    manner = manner_of(step)
    return subject_of(manner, facts), "\n\n".join(paragraphs_of(manner, facts))


def _none(reminder: Reminder, subject: str, now: dt.datetime) -> list[tuple[str, str, bytes]]:
    return []


def _letter_if_any(reminder: Reminder, subject: str, now: dt.datetime) -> list[tuple[str, str, bytes]]:
    if not reminder.step.has_cover:
        return []
    return [(f"{_('letter')}-{reminder.on.isoformat()}.pdf", PDF, letter_of(reminder, subject))]
