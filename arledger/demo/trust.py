"""Whom the demo book trusts, and how far: limits, checks, decisions, terms, files, dates, and what waits today.

Days count back from today. What behaviour brings about by itself, the ladder and the nightly sweeps do.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from ar_collections.models import LimitProposal
from ar_collections.services.reviewing import approve_proposal, reject_proposal, review_limits
from clients.models import Client
from clients.services import save_client, save_contact
from clients.services.accepting import accept_terms, record_acceptance_on_paper
from clients.services.checks import enter_check
from clients.services.deciding import decide_credit
from clients.services.filing import add_document, look_at_profile, save_key_date, save_profile
from clients.services.limits import set_limit
from clients.services.overrides import grant_override
from core.models import Company
from invoices.services.drafting import LineDraft, draft_invoice
from invoices.services.exposure import exposure_of, note_credit
from invoices.services.work import Done, record_work
from policies.credit_terms import new_terms_version, shipped_terms, terms_in_force

LIMITS: dict[str, int] = {
    "C-0101": 20000, "C-0102": 25000, "C-0103": 22000, "C-0105": 9000, "C-0106": 35000, "C-0107": 15000,
    "C-0108": 12000, "C-0109": 25000, "C-0110": 15000, "C-0111": 18000, "C-0112": 9000, "C-0113": 30000,
    "C-0115": 22000, "C-0117": 12000, "C-0118": 25000, "C-0119": 18000, "1001": 30000, "1002": 45000, "1003": 12000,
    "1004": 16000, "1006": 25000, "1007": 35000, "1008": 12000,
}  # fmt: skip
BY_PAPER = ("C-0103", "C-0109", "1006")
NOT_YET = ("C-0105", "C-0112", "C-0116", "C-0118", "1003", "1008")
DECLINED = ("C-0120", "Vantage Pop-up Stores")
WAITING = ("C-0105", "C-0108", "C-0111", "C-0115", "C-0118", "1003", "1004")  # their proposals are still open
NEAR = "C-0104"  # its limit is what its exposure of today fills to nine tenths
GROWN = (("C-0102", 250, 31000, "four good months"), ("C-0102", 120, 40000, "another four without a day late"))


class Check(NamedTuple):
    """A check: how many days ago, of whom, by whom, its score and the rest of its facts."""

    ago: int
    client: str
    provider: str
    score: str
    facts: Mapping[str, Any] = {}


CHECKS = (
    Check(15, "C-0102", "Creditlens", "88", {"rating": "A", "recommended_limit": Decimal(60000),
          "findings": "Accounts filed on time for eleven years; equity ratio of 41 %.", "reference": "CL-88120"}),
    Check(14, "C-0109", "Creditlens", "79", {"rating": "B+", "recommended_limit": Decimal(30000),
          "reference": "CL-88122"}),
    Check(13, "C-0117", "Creditlens", "52", {"rating": "C", "recommended_limit": Decimal(9000),
          "flags": ["young_company"], "findings": "Founded two years ago; one set of accounts.",
          "reference": "CL-88127"}),
    Check(12, "C-0118", "Banca Adriatica, reference", "66", {"flags": ["adverse_press"], "rating": "B-",
          "findings": "Press reports on a closed mill in Como; the bank knows of no default.",
          "recommended_limit": Decimal(20000)}),
    Check(10, "1001", "Northwest Trade Bureau", "405", {"scale_low": Decimal(850), "scale_high": Decimal(300),
          "rating": "2A", "recommended_limit": Decimal(35000), "reference": "NTB-5521",
          "findings": "The scale runs downwards: 300 is the best."}),
    Check(15, "C-0113", "Creditlens", "91", {"rating": "A", "recommended_limit": Decimal(50000), "age": 328,
          "reference": "CL-80411"}),
    Check(14, "1007", "Northwest Trade Bureau", "81", {"rating": "1A", "recommended_limit": Decimal(40000), "age": 380,
          "reference": "NTB-4107"}),
)  # fmt: skip
DECIDED = ("C-0102", "C-0109", "C-0117", "1001")
OTHERWISE = ("C-0118", "accept", "The owner gave a bank guarantee over 15,000 until the spring.", 120)
EXCEPTION = (NEAR, "over_limit", "The trade fair stand has to be built now; payment run on the 30th", 12)

HOURS = {"C-0101": ("09:00", "11:30"), "C-0104": ("14:00", "17:00"), "C-0103": ("10:00", "13:00"),
         "1002": ("08:30", "12:00"), "1006": ("13:00", "16:30")}  # fmt: skip
GREETED = ("C-0101", "C-0102", "C-0104", "C-0107", "C-0109", "C-0111", "C-0113", "C-0119", "1001", "1004", "1007")
PROFILES = (
    ("C-0101", "website", "https://harbourlane.example", "A third shop opens at the station in spring."),
    ("C-0101", "linkedin", "https://social.example/harbour-lane", ""),
    ("C-0102", "register", "https://register.example/hrb-550102", "New board member since the summer."),
    ("C-0103", "website", "https://ferreira-filhos.example", "The shop page is gone; only the address is left."),
    ("C-0118", "website", "https://tessuto-lombardi.example", "Autumn collection shown in Milan."),
    ("1002", "website", "https://bluebird-dx.example", ""),
)
TAX_NUMBERS = {
    "C-0101": "DE129274202", "C-0102": "DE811569869", "C-0103": "PT505500000", "C-0104": "GB980780684",
    "C-0107": "FR86550147003", "C-0108": "FR19550147110", "C-0110": "ATU55014709", "C-0111": "NL855014702B01",
    "C-0113": "SE555014700201", "C-0117": "DK55500002", "C-0118": "IT05550000011",
}  # fmt: skip


def publish_terms(company: Company, on: dt.date, by: Any) -> None:
    """The credit terms as shipped, read and published before the first invoice of the year."""
    new_terms_version(company, shipped_terms(), effective_from=on, on=on, by=by)


def trusted_on(ago: int, on: dt.date, companies: Sequence[Company], clients: dict[str, Client], by: Any) -> None:
    """What was found out, decided and filed on one of the last days."""
    for check in CHECKS:
        if check.ago == ago:
            _check(check, clients[check.client], on, by)
    if ago == 11:
        for number in DECIDED:
            if number != "1001":
                decide_credit(clients[number], on=on, by=by)
    if ago == 9:
        decide_credit(clients["1001"], on=on, by=by)
        number, outcome, reason, days = OTHERWISE
        decide_credit(
            clients[number], outcome=outcome, reason=reason, expires_on=on + dt.timedelta(days=days), on=on, by=by
        )
    if ago == 8:
        _fill_the_files(clients, on, by)
    if ago == 7:
        _decline(companies[0], clients, on, by)
    if ago == 12:
        _answer_the_review(companies, on, by)


def _answer_the_review(companies: Sequence[Company], on: dt.date, by: Any) -> None:
    """Most limits the first review proposed are approved, one is not, and some are still to be decided."""
    waiting = LimitProposal.objects.filter(client__company__in=companies, outcome="").select_related("client")
    for proposal in waiting.order_by("pk"):
        if proposal.client.number == NEAR:
            reject_proposal(proposal, reason="The late invoices are those they dispute.", on=on, by=by)
        elif proposal.client.number not in WAITING:
            approve_proposal(proposal, on=on, by=by)


def _check(check: Check, client: Client, on: dt.date, by: Any) -> None:
    facts = dict(check.facts)
    checked_on = on - dt.timedelta(days=facts.pop("age", 0))
    report = f"{check.provider}, {checked_on.isoformat()}\n{client.legal_name}\nScore {check.score}\n"
    enter_check(
        client, {"provider": check.provider, "score": Decimal(check.score), "checked_on": checked_on, **facts}, on=on,
        by=by, documents=[(f"{check.provider} {checked_on.isoformat()}.txt", report.encode())],
    )


def _fill_the_files(clients: dict[str, Client], on: dt.date, by: Any) -> None:
    """Preferred hours, consent to greetings, profiles, dates to remember, documents."""
    for number, client in clients.items():
        person = client.contacts.filter(is_active=True).first()
        if person is None:
            continue
        fields: dict[str, Any] = {}
        if number in HOURS:
            fields["call_from"], fields["call_until"] = (dt.time.fromisoformat(at) for at in HOURS[number])
        if number in GREETED:
            fields["greetings_since"] = on
        if fields:
            save_contact(client, person, fields, by=by)
    for number, kind, url, news in PROFILES:
        profile = save_profile(clients[number], None, {"kind": kind, "url": url}, by=by)
        if news:
            look_at_profile(profile, news, on=on, by=by)
    _dates(clients, on, by)
    agreed = "Framework agreement\n\nThirty days to pay, orders by mail, a credit limit by our credit terms.\n"
    for number in ("C-0101", "C-0102", "1002"):
        add_document(clients[number], "Framework agreement.txt", agreed.encode(), "contract", by=by)


def _dates(clients: dict[str, Client], on: dt.date, by: Any) -> None:
    """Founding days, the start of working together, and a birthday that comes round this month."""
    soon = on + dt.timedelta(days=19)
    mara = clients["C-0101"].contacts.filter(is_active=True).first()
    for number, fields in (
        ("C-0101", {"kind": "birthday", "contact": mara, "day": soon.day, "month": soon.month}),
        ("C-0101", {"kind": "founded", "day": 3, "month": 5, "year": 2014}),
        ("C-0102", {"kind": "together", "day": 1, "month": 9, "year": on.year - 4}),
        ("C-0104", {"kind": "founded", "day": 12, "month": 2, "year": 2009}),
        ("1001", {"kind": "together", "day": 15, "month": 6, "year": on.year - 3}),
    ):
        save_key_date(clients[number], None, fields, on=on, by=by)


def _decline(company: Company, clients: dict[str, Client], on: dt.date, by: Any) -> None:
    """Somebody who asked for credit and did not get it."""
    number, name = DECLINED
    client = save_client(
        None,
        {
            "company": company, "number": number, "name": name, "legal_name": f"{name} UG", "city": "Leipzig",
            "street": "Karl-Heine-Straße 93", "postal_code": "04229", "country": "DE", "language": "de",
            "time_zone": "Europe/Berlin", "currency": company.currency, "owner": by,
            "notes": "Asked for 60 days for the fit-out of four shops.",
        },
        by=by, on=on,
    )  # fmt: skip
    save_contact(
        client, None, {"name": "Rico Brandt", "email": "rico.brandt@vantage.example", "phone": "+49 341 555 0120"},
        by=by,
    )
    enter_check(
        client,
        {
            "provider": "Creditlens", "score": Decimal(18), "rating": "E", "recommended_limit": Decimal(0),
            "flags": ["insolvency", "payment_default"], "reference": "CL-88140",
            "findings": "The founder's last company is in insolvency proceedings; two defaults reported since spring.",
        },
        on=on, by=by,
    )  # fmt: skip
    decide_credit(client, on=on, by=by)
    clients[number] = client


def accept(company: Company, clients: Mapping[str, Client], at: dt.datetime, on: dt.date, by: Any) -> None:
    """Most clients have accepted the terms in the year, a few on paper, some not yet."""
    terms = terms_in_force(company, on)
    assert terms is not None
    for number, client in clients.items():
        person = client.contacts.filter(is_active=True).first()
        if client.company_id != company.pk or number in NOT_YET or number == DECLINED[0] or person is None:
            continue
        if number in BY_PAPER:
            record_acceptance_on_paper(
                client, terms, accepted_by=person.name, accepted_on=on, on=on, by=by, contact=person
            )
        else:
            accept_terms(client, terms, contact=person, accepted_by=person.name, at=at, way="link")


def today(companies: Sequence[Company], clients: dict[str, Client], on: dt.date, *, by: Any) -> None:
    """What waits this morning: work not invoiced, a limit nearly used, an exception, limits proposed by the review."""
    done = (
        ("C-0101", "Menu boards for the third shop", "840", 2), ("C-0102", "Accessibility review", "1200", 4),
        ("1001", "Photography, day", "760", 1),
    )  # fmt: skip
    for number, what, price, days in done:
        tax = Decimal(19) if number.startswith("C-") else Decimal(0)
        piece = Done(what, on - dt.timedelta(days=days), Decimal(price), tax_percent=tax, key=f"demo:{number}")
        record_work(clients[number], piece, on=on, by=by)
    near = clients[NEAR]
    stand = LineDraft("Trade fair stand, design", Decimal(1), Decimal(2400), tax_category="O")
    owed = exposure_of(near, near.currency, on).total
    because = "kept close while an invoice is disputed"
    limit = Decimal(round(owed / Decimal("0.92") / 100) * 100)
    set_limit(near, limit, near.currency, because=because, source="hand", on=on, by=by)
    draft_invoice(near, [stand], by=by)
    number, allows, reason, days = EXCEPTION
    grant_override(clients[number], allows, reason, expires_on=on + dt.timedelta(days=days), on=on, by=by)
    for company in companies:
        note_credit(company, on)
        review_limits(company, on, by="system")
