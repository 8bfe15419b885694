"""Guard-rails: what the law of a country lets nobody do to whoever pays late, held against a ladder and its policy.

Pure. A rail is a row with a source; those shipped stand in guard_rails.toml. What breaks one is named in a sentence
with the name of the rule, and is no legal advice: what is not known to us may be forbidden all the same.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import date, time
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, NamedTuple

from policies.interest import Rule
from policies.jurisdictions import EU

StepValues = Mapping[str, Any]
MESSAGES = ("mail", "letter")


class Rail(NamedTuple):
    """One rule of a country: what it limits (``kind``) and to which value; ``for_consumers`` None: it holds for all."""

    country: str
    code: str
    kind: str
    value: Mapping[str, Any]
    for_consumers: bool | None
    name: str
    says: str
    source: str
    as_of: date = date.min

    def title(self) -> str:
        """Its name as sentences use it.

        >>> Rail("NO", "x", "most_fees", {}, None, "Two fees at most", "", "").title()
        '“Two fees at most” (NO)'
        """
        return f"“{self.name}” ({self.country})"


class Broken(NamedTuple):
    """A step that breaks a rail (``step`` is its code, "" where it is the policy), and the sentence that says so."""

    step: str
    rail: Rail
    sentence: str
    where: str = ""


Found = tuple[str, str, str]  # code of the step, field, what is wrong


def broken(
    ladder: Sequence[StepValues], policy: Mapping[str, Any], rails: Iterable[Rail], *, rule: Rule | None = None,
    texts: Mapping[str, Sequence[str]] | None = None,
) -> list[Broken]:
    """What in a ladder and its policy breaks a rail of the countries the policy is for.

    ``ladder`` are steps with the fields of a step, ``policy`` the values of the version, ``rule`` the one its
    interest is worked out by, ``texts`` our own words by code of the step.

    >>> rail = Rail("NO", "fee", "fee_not_before", {"days": 14}, None, "No fee before the 14th day", "", "§ 1-2")
    >>> step = {"code": "r", "title": "First reminder", "offset_days": 8, "channel": "mail", "fee": {"NOK": "35"}}
    >>> print(broken([step], {"jurisdictions": "NO"}, [rail])[0].sentence)
    “First reminder” charges a fee on day +8, and “No fee before the 14th day” (NO) allows none before day +14; \
move it, or take the fee out.
    >>> broken([step], {"jurisdictions": "SE"}, [rail]), broken([step], {"jurisdictions": ""}, [rail])
    ([], [])
    """
    steps = sorted(ladder, key=lambda step: int(step["offset_days"]))
    here, consumers = countries_of(policy.get("jurisdictions", "")), bool(policy.get("for_consumers"))
    rails, found = list(rails), list[Broken]()
    for rail in rails:
        if not holds_in(rail, here) or rail.for_consumers not in (None, consumers):
            continue
        if rail.kind == "words":
            told = _words(rail, steps, texts or {})
        else:
            told = _CHECKS[rail.kind](rail, steps, policy, rule) if rail.kind in _CHECKS else []
        found += [Broken(step, rail, sentence, where) for step, where, sentence in told]
    held = [rail for rail in rails if holds_in(rail, here) and rail.for_consumers in (None, consumers)]
    return found + _fees_without_a_highest(held, steps)


def countries_of(written: str) -> list[str]:
    """The countries a policy names, in capitals, each once.

    >>> countries_of("no, se NO")
    ['NO', 'SE']
    """
    return list(dict.fromkeys(str(written or "").upper().replace(",", " ").split()))


def holds_in(rail: Rail, countries: Iterable[str]) -> bool:
    """Whether a rail holds in one of the countries; those of the Union hold in every member state.

    >>> eu = Rail("EU", "x", "no_compensation", {}, True, "", "", "")
    >>> holds_in(eu, ["AT"]), holds_in(eu, ["NO"])
    (True, False)
    """
    return any(rail.country == country or (rail.country == "EU" and country in EU) for country in countries)


def shipped() -> tuple[Rail, ...]:
    """The rails as shipped, each with its source and the day as of which it says what the law is."""
    book = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
    usual = {"value": {}, "for_consumers": None, "as_of": book["as_of"]}
    return tuple(Rail(**{**usual, **row}) for row in book["rails"])


def check_value(kind: str, value: Mapping[str, Any]) -> str:
    """What is wrong with the value of a rail, in a sentence; "" where it is as its kind needs it.

    >>> check_value("most_fees", {"count": 2}), check_value("highest_fee", {"NOK": "35"})
    ('', '')
    >>> check_value("notice_days", {})
    'Write a whole number of days, such as 14.'
    """
    try:
        _NEEDS[kind][0](value)
    except (KeyError, TypeError, ValueError, ArithmeticError):
        return _NEEDS[kind][1] if kind in _NEEDS else "There is no such kind of rule."
    return ""


def read_value(kind: str, written: str) -> dict[str, Any]:
    """The value of a rail as a person writes it; ValueError where it cannot be read.

    >>> read_value("notice_days", "14"), read_value("highest_fee", "NOK 35, EUR 5")
    ({'days': 14}, {'NOK': '35', 'EUR': '5'})
    >>> read_value("contact_hours", "08:00 to 21:00"), read_value("words", "invoice: 40")
    ({'from': '08:00', 'until': '21:00'}, {'on': 'invoice', 'words': ['40']})
    """
    written = written.strip()
    if kind in ("fee_not_before", "notice_days", "notice_before_handover"):
        return {"days": int(written)}
    if kind == "most_fees":
        return {"count": int(written)}
    if kind == "highest_percent":
        return {"percent": written}
    if kind == "highest_fee":
        pairs = [part.split() for part in written.split(",")]
        return {code.upper(): amount for code, amount in pairs}
    if kind == "contact_hours":
        opens, closes = written.replace("–", " to ").split(" to ")
        return {"from": opens.strip(), "until": closes.strip()}
    if kind == "words":
        on, _colon, words = written.rpartition(":")
        return {"on": on.strip().lower() or "notice", "words": [one.strip() for one in words.split(",") if one.strip()]}
    return {}


def show_value(kind: str, value: Mapping[str, Any]) -> str:
    """The value as a person reads and writes it; "" for a kind that needs none.

    >>> [show_value("notice_days", {"days": 14}), show_value("words", {"on": "invoice", "words": ["40"]})]
    ['14', 'invoice: 40']
    """
    if kind == "highest_fee":
        return ", ".join(f"{code} {amount}" for code, amount in value.items())
    if kind == "contact_hours":
        return f"{value['from']} to {value['until']}"
    if kind == "words":
        return f"{value.get('on', 'notice')}: {', '.join(value['words'])}"
    return ", ".join(str(one) for one in value.values())


def is_message(step: StepValues) -> bool:
    return step.get("channel") in MESSAGES


def fees_of(step: StepValues) -> dict[str, Decimal]:
    """What a step charges, by currency; empty and zero are no fee, and what is no sum is refused elsewhere.

    >>> fees_of({"fee": {"NOK": "35", "EUR": "0", "USD": "", "SEK": "much"}})
    {'NOK': Decimal('35')}
    """
    found = {}
    for currency, said in (step.get("fee") or {}).items():
        with suppress(InvalidOperation):
            if (fee := Decimal(str(said))) > 0:
                found[currency] = fee
    return found


def name_of(step: StepValues) -> str:
    """A step as sentences name it.

    >>> name_of({"code": "call_1", "title": "Call"}), name_of({"code": "x", "title": ""})
    ('“Call”', '“x”')
    """
    return f"“{step.get('title') or step.get('code')}”"


def _offset(step: StepValues) -> int:
    return int(step["offset_days"])


def _fee_not_before(rail: Rail, steps: Sequence[StepValues], _policy: Any, _rule: Any) -> list[Found]:
    days = int(rail.value["days"])
    return [
        (step["code"], "fee",
         f"{name_of(step)} charges a fee on day {_offset(step):+d}, and {rail.title()} allows none before day "
         f"+{days}; move it, or take the fee out.")
        for step in steps if fees_of(step) and _offset(step) < days
    ]  # fmt: skip


def _most_fees(rail: Rail, steps: Sequence[StepValues], _policy: Any, _rule: Any) -> list[Found]:
    most = int(rail.value["count"])
    charging = [step for step in steps if fees_of(step)]
    many = f"{rail.title()} allows {most} in all; take the fee out."
    found = [
        (step["code"], "fee", f"{name_of(step)} charges a fee every time it repeats, and {many}")
        for step in charging if step.get("repeats_every_days")
    ]
    for number, step in enumerate(charging, 1):
        if number > most:
            found.append((step["code"], "fee", f"{name_of(step)} would charge fee number {number}, and {many}"))
    return found


def _highest_fee(rail: Rail, steps: Sequence[StepValues], _policy: Any, _rule: Any) -> list[Found]:
    return [
        (step["code"], "fee",
         f"{name_of(step)} charges a fee of {currency} {fee}, and {rail.title()} allows at most {currency} "
         f"{rail.value[currency]}; lower it.")
        for step in steps for currency, fee in fees_of(step).items()
        if currency in rail.value and fee > Decimal(str(rail.value[currency]))
    ]  # fmt: skip


def _fees_without_a_highest(rails: Sequence[Rail], steps: Sequence[StepValues]) -> list[Broken]:
    """A highest fee is an amount of some currencies; in another one no fee is known to be lawful."""
    highest = [rail for rail in rails if rail.kind == "highest_fee"]
    if not highest:
        return []
    known, rail = sorted({currency for rail in highest for currency in rail.value}), highest[0]
    return [
        Broken(
            step["code"], rail,
            f"{name_of(step)} charges a fee in {currency}, and {rail.title()} says what is allowed in "
            f"{' and '.join(known)} only; take {currency} out, or enter what the rule allows in it.", "fee",
        )
        for step in steps for currency in fees_of(step) if currency not in known
    ]  # fmt: skip


def _notice_days(rail: Rail, steps: Sequence[StepValues], _policy: Any, _rule: Any) -> list[Found]:
    days, found = int(rail.value["days"]), []
    for step in steps:
        if not is_message(step) or _offset(step) <= 0:
            continue
        given, notice = step.get("pay_within_days"), step.get("interest_notice_days")
        if given is not None and notice and notice <= given:
            given = notice - 1  # who pays on the day interest begins already owes some: the notice asks a day earlier
        if (given is not None and given < days) or (given is None and (fees_of(step) or step.get("mandatory"))):
            gives = f"gives {given} days to pay" if given is not None else "names no day by which to pay"
            found.append((
                step["code"], "pay_within_days",
                f"{name_of(step)} {gives}, and {rail.title()} asks for at least {days}; write {days} or more"
                + (f", and notice of interest from {days + 1} days ahead." if notice and notice <= days else "."),
            ))  # fmt: skip
    return found


def _first_is_free(rail: Rail, steps: Sequence[StepValues], _policy: Any, _rule: Any) -> list[Found]:
    first = next((step for step in steps if is_message(step) and _offset(step) > 0), None)
    if first is None or not fees_of(first):
        return []
    return [(
        first["code"], "fee",
        f"{name_of(first)} is the first reminder, and by {rail.title()} that is free of charge; take the fee out.",
    )]  # fmt: skip


def _notice_before_handover(rail: Rail, steps: Sequence[StepValues], _policy: Any, _rule: Any) -> list[Found]:
    days, found = int(rail.value["days"]), []
    for step in steps:
        if step.get("moves_stage_to") != "handed_over" and step.get("channel") != "review":
            continue
        warned = any(
            is_message(other) and other.get("mandatory") and (other.get("pay_within_days") or 0) >= days
            and _offset(other) > 0 and _offset(other) + other["pay_within_days"] <= _offset(step)
            for other in steps
        )  # fmt: skip
        if not warned:
            found.append((
                step["code"], "offset_days",
                f"{name_of(step)} on day {_offset(step):+d} decides on collection, and {rail.title()} asks for a "
                f"mandatory notice of at least {days} days that has run out by then; put one before it.",
            ))  # fmt: skip
    return found


def _contact_hours(rail: Rail, _steps: Any, policy: Mapping[str, Any], _rule: Any) -> list[Found]:
    opens, closes = time.fromisoformat(rail.value["from"]), time.fromisoformat(rail.value["until"])
    found = []
    for field, at in (("window_opens", policy.get("window_opens")), ("window_closes", policy.get("window_closes"))):
        if at is not None and not opens <= at <= closes:
            what = "opens" if field == "window_opens" else "closes"
            found.append((
                "", field,
                f"The window {what} at {at:%H:%M}, and {rail.title()} allows contact from {opens:%H:%M} to "
                f"{closes:%H:%M}; move it inside.",
            ))  # fmt: skip
    return found


def _no_compensation(rail: Rail, _steps: Any, _policy: Any, rule: Rule | None) -> list[Found]:
    if rule is None or not rule.compensation:
        return []
    return [(
        "", "interest",
        f"The rule {rule.code} claims fixed compensation, and {rail.title()} allows none; choose a rule without it.",
    )]  # fmt: skip


def _highest_percent(rail: Rail, _steps: Any, _policy: Any, rule: Rule | None) -> list[Found]:
    most = Decimal(str(rail.value["percent"]))
    if rule is None or rule.percent is None or rule.percent <= most:
        return []
    return [(
        "", "interest",
        f"The rule {rule.code} charges {rule.percent} % a year, and {rail.title()} allows at most {most} %; "
        "choose another rule.",
    )]  # fmt: skip


def _words(rail: Rail, steps: Sequence[StepValues], texts: Mapping[str, Sequence[str]]) -> list[Found]:
    """A mandatory notice must say the words in each text of ours for it; the invoice is looked at by people."""
    if rail.value.get("on") == "invoice":
        return []
    wanted, found = [str(word) for word in rail.value["words"]], []
    for step in steps:
        if not is_message(step) or not step.get("mandatory"):
            continue
        ours = texts.get(step["code"], ())
        if not ours or not all(any(word.lower() in text.lower() for word in wanted) for text in ours):
            said = " or ".join(f"“{word}”" for word in wanted)
            found.append((
                step["code"], "title",
                f"{name_of(step)} has to say {said} by {rail.title()}; write words of your own for it that do, "
                "under “Texts of steps”.",
            ))  # fmt: skip
    return found


Check = Callable[[Rail, Sequence[StepValues], Mapping[str, Any], Rule | None], list[Found]]
_CHECKS: dict[str, Check] = {
    "fee_not_before": _fee_not_before, "most_fees": _most_fees, "highest_fee": _highest_fee,
    "notice_days": _notice_days, "first_is_free": _first_is_free, "notice_before_handover": _notice_before_handover,
    "contact_hours": _contact_hours, "no_compensation": _no_compensation, "highest_percent": _highest_percent,
}  # fmt: skip


def _whole(name: str) -> Callable[[Mapping[str, Any]], None]:
    def check(value: Mapping[str, Any]) -> None:
        if isinstance(value[name], bool) or int(value[name]) != value[name] or value[name] < 0:
            raise ValueError(value[name])

    return check


def _sums(value: Mapping[str, Any]) -> None:
    if not value or any(Decimal(str(amount)) < 0 for amount in value.values()):
        raise ValueError(value)


def _hours(value: Mapping[str, Any]) -> None:
    if not time.fromisoformat(value["from"]) < time.fromisoformat(value["until"]):
        raise ValueError(value)


def _some_words(value: Mapping[str, Any]) -> None:
    if not value["words"] or value.get("on", "notice") not in ("notice", "invoice"):
        raise ValueError(value)


def _percent(value: Mapping[str, Any]) -> None:
    if not 0 <= Decimal(str(value["percent"])) <= 1000:
        raise ValueError(value)


_DAYS = "Write a whole number of days, such as 14."
_NEEDS: dict[str, tuple[Callable[[Mapping[str, Any]], None], str]] = {
    "fee_not_before": (_whole("days"), _DAYS), "notice_days": (_whole("days"), _DAYS),
    "notice_before_handover": (_whole("days"), _DAYS),
    "most_fees": (_whole("count"), "Write how many fees, such as 2."),
    "highest_fee": (_sums, "Write a sum per currency, such as NOK 35."),
    "first_is_free": (lambda value: None, ""), "no_compensation": (lambda value: None, ""),
    "words": (_some_words, "Write the words, with commas between."),
    "contact_hours": (_hours, "Write two times, the earlier first, such as 08:00 to 21:00."),
    "highest_percent": (_percent, "Write percent a year, such as 12.5."),
}  # fmt: skip
