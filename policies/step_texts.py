"""Our own words for a step: ``{{ name }}`` only, put in by a substituter of our own, and what they may not say.

Pure. A text is never a template of Django's: it knows a list of names, each filled once, and nothing else.
``check_tone`` reads words, not meanings; it is there so that a hasty sentence is not sent to hundreds.
"""

from __future__ import annotations

import difflib
import re
import tomllib
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from core.errors import Refused
from policies.interest import Rule

LONGEST_SUBJECT = 200
LONGEST_TEXT = 6000
LANGUAGES = ("en", "de", "fr")

# Every name with what it stands for; examples are in EXAMPLES, one per language where it is written differently.
NAMES: dict[str, str] = {
    "client": "the client's name",
    "contact": "the name of the person addressed",
    "first_name": "their first name",
    "last_name": "their last name",
    "number": "the number of the invoice, of several the oldest",
    "numbers": "the numbers of all invoices reminded of",
    "count": "how many invoices are reminded of",
    "total": "what is asked for, per currency, credits taken off",
    "owed": "the same without interest, compensation and fees",
    "due": "the day it was or is due, of several the oldest",
    "days_late": "how many days it is late, of several the oldest",
    "pay_by": "the day by which the step asks to pay",
    "interest_notice": "the sentence from which day interest is charged",
    "interest": "the interest claimed",
    "compensation": "the fixed compensation claimed",
    "fees": "the fees charged",
    "cash_only": "the sentence that new orders are paid in advance",
    "company": "our company's name",
    "sender": "who looks after the client here, otherwise the company",
}

EXAMPLES: dict[str, dict[str, str]] = {
    "client": {"en": "Northwind Traders"},
    "contact": {"en": "Mara Winter"},
    "first_name": {"en": "Mara"},
    "last_name": {"en": "Winter"},
    "number": {"en": "LO-2041"},
    "numbers": {"en": "LO-2041, LO-2057"},
    "count": {"en": "2"},
    "total": {"en": "€1,864.20", "de": "1.864,20 €", "fr": "1 864,20 €"},
    "owed": {"en": "€1,864.20", "de": "1.864,20 €", "fr": "1 864,20 €"},
    "due": {"en": "12 October 2026", "de": "12. Oktober 2026", "fr": "12 octobre 2026"},
    "days_late": {"en": "30"},
    "pay_by": {"en": "18 November 2026", "de": "18. November 2026", "fr": "18 novembre 2026"},
    "interest_notice": {
        "en": "On what is still unpaid on 19 November 2026 interest is charged from that day, at 9.12% a year as "
        "printed in the terms.",
        "de": "Was am 19. November 2026 noch offen ist, wird von diesem Tag an mit 9,12 % im Jahr verzinst, wie in "
        "den Bedingungen gedruckt.",
        "fr": "Sur ce qui reste impayé le 19 novembre 2026, des intérêts sont comptés à partir de ce jour, à 9,12 % "
        "par an comme imprimé dans les conditions.",
    },
    "interest": {"en": "€13.97", "de": "13,97 €", "fr": "13,97 €"},
    "compensation": {"en": "€40.00", "de": "40,00 €", "fr": "40,00 €"},
    "fees": {"en": "€5.00", "de": "5,00 €", "fr": "5,00 €"},
    "cash_only": {
        "en": "Until all of it is paid, we take new orders against payment in advance.",
        "de": "Bis alles bezahlt ist, nehmen wir neue Aufträge gegen Vorauszahlung an.",
        "fr": "Jusqu’à ce que tout soit payé, nous acceptons les nouvelles commandes contre paiement d’avance.",
    },
    "company": {"en": "Lumen & Oak Studio"},
    "sender": {"en": "Vera Brandt"},
}

_NAME = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")
_BRACES = re.compile(r"\{\{|\}\}|\{%|%\}|\{|\}")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_UNSEEN = re.compile(r"[\u00ad\u200b-\u200f\u202a-\u202e\u2060\ufeff]")
_SHOUTED = re.compile(r"[^\W\d_]{2,}")


@dataclass(frozen=True)
class Backing:
    """What a policy really does, so that a text may say it.

    ``handover`` is true where a step hands over, or the text is that of a final notice whose consequences are named;
    ``by_law`` are words that the law of a country wants in it.
    """

    handover: bool = False
    interest: bool = False
    fees: bool = False
    compensation: bool = False
    cash_only: bool = False
    consumers: bool = False
    by_law: tuple[str, ...] = ()

    def allows(self, needs: str) -> bool:
        if needs == "handover":
            return self.handover and not self.consumers
        return needs != "never" and bool(getattr(self, needs))


@dataclass(frozen=True)
class Group:
    """Words that say one thing, by language, what backs them, and what to write instead."""

    needs: str
    why: str
    instead: str
    words: Mapping[str, re.Pattern[str]]
    but: Mapping[str, re.Pattern[str] | None]


def backing_by(
    ladder: Sequence[Mapping[str, Any]], meant: Sequence[Mapping[str, Any]], *, rule: Rule, consumers: bool,
    by_law: Iterable[str] = (),
) -> Backing:
    """What a version with this ladder and rule of interest backs in words for the steps ``meant``.

    ``by_law`` are the words that the law wants in a mandatory notice; they back the words for one only.

    >>> from policies.interest import CONTRACT
    >>> final = {"code": "f", "channel": "letter", "moves_stage_to": "final_notice"}
    >>> backing_by([final], [final], rule=CONTRACT, consumers=False).handover
    True
    """
    return Backing(
        handover=any(step.get("moves_stage_to") == "handed_over" for step in ladder)
        or (bool(meant) and all(is_final_notice(step) for step in meant)),
        interest=rule.charges,
        fees=any(step.get("fee") for step in ladder),
        compensation=bool(rule.compensation),
        cash_only=any(step.get("sets_cash_only") for step in ladder),
        consumers=consumers,
        by_law=tuple(by_law) if any(step.get("mandatory") for step in meant) else (),
    )


def is_final_notice(step: Mapping[str, Any]) -> bool:
    """The last notice before a person decides: it names what may follow."""
    return step.get("channel") in ("mail", "letter") and step.get("moves_stage_to") == "final_notice"


def example_of(name: str, language: str) -> str:
    """What a name may stand for, as it is written in a language.

    >>> example_of("total", "de"), example_of("client", "fr")
    ('1.864,20 €', 'Northwind Traders')
    """
    by_language = EXAMPLES[name]
    return by_language.get(language, by_language["en"])


def names_in(text: str) -> list[str]:
    """The names a text speaks of, in their order, each once.

    >>> names_in("{{ total }} since {{due}}, {{ total }}")
    ['total', 'due']
    """
    return list(dict.fromkeys(_NAME.findall(text)))


def filled(text: str, values: Mapping[str, str]) -> str | None:
    """A text with every name put in, once and as plain text; None where one of its names has nothing to say.

    What stands in a value is never read as a name, begins no line and ends none.

    >>> filled("Dear {{ contact }},", {"contact": "Ada {{ total }}\\r\\nBcc: x@y.test"})
    'Dear Ada {{ total }} Bcc: x@y.test,'
    >>> filled("Pay by {{ pay_by }}.", {"pay_by": ""}) is None
    True
    """
    if any(not values.get(name) for name in names_in(text)):
        return None
    return _NAME.sub(lambda found: one_line(values[found[1]]), text)


def paragraphs(text: str, values: Mapping[str, str]) -> list[str]:
    """The paragraphs of a text, filled; one with a name that has nothing to say is left out.

    >>> paragraphs("{{ total }} is open.\\n\\nPay by {{ pay_by }}.\\n\\nThank you.", {"total": "€5.00", "pay_by": ""})
    ['€5.00 is open.', 'Thank you.']
    """
    found = (filled(" ".join(part.split()), values) for part in re.split(r"\n\s*\n", text.replace("\r\n", "\n")))
    return [part for part in found if part]


def one_line(value: str) -> str:
    """A value as one line of plain text.

    >>> one_line("Acme\\r\\n\\tLtd\\u2028x\\x00")
    'Acme Ltd x'
    """
    return " ".join(_CONTROL.sub(" ", value.replace("\n", " ")).split())


def check_text(subject: str, text: str) -> None:
    """Refuse unknown names (the nearest known one is suggested), unclosed braces, and what fits no mail.

    >>> check_text("", "You owe {{ totl }}.")
    Traceback (most recent call last):
    core.errors.Refused: “{{ totl }}” is not a known name; did you mean “{{ total }}”?
    """
    if len(subject) > LONGEST_SUBJECT:
        raise Refused(f"The subject is longer than {LONGEST_SUBJECT} characters; shorten it.", where="subject")
    if len(text) > LONGEST_TEXT:
        raise Refused(f"The text is longer than {LONGEST_TEXT} characters; a reminder is short.", where="text")
    if "\n" in subject.strip() or "\r" in subject.strip():
        raise Refused("The subject is one line; take the line break out.", where="subject")
    for where, said in (("subject", subject), ("text", text)):
        if _CONTROL.search(said.replace("\r", "").replace("\t", "")):
            raise Refused("There is a character in it that cannot be sent; type it anew.", where=where)
        for name in names_in(said):
            if name not in NAMES:
                raise Refused(_unknown(name), code="unknown_name", where=where)
        _refuse_braces(said, where)


def check_tone(subject: str, text: str, language: str, backing: Backing) -> None:
    """Refuse threats and charges that the policy does not back, insults, mockery and shouting.

    ``language`` is that of the text. The words of every language are looked for, whatever their case, accents and
    ending: what is written need not be in the language it is kept for. Refused names the word, says why, and what one
    may write instead.

    >>> check_tone("", "Otherwise we will see you in COURT.", "en", Backing())
    Traceback (most recent call last):
    core.errors.Refused: “COURT” cannot be said: it speaks of a court or a lawyer, and no step of this policy leads \
there. Instead, say what really comes next, such as «if we do not hear from you, we will call you».
    >>> check_tone("", "We may hand this to an attorney.", "en", Backing(handover=True))
    """
    for where, said in (("subject", subject), ("text", text)):
        words = unicodedata.normalize("NFC", _NAME.sub(" … ", said))
        _refuse_named_without_backing(said, backing, where)
        plain, places = _plain(words)
        for group in _groups():
            if backing.allows(group.needs):
                continue
            found = _first_of(group, plain, language, backing.by_law)
            if found is not None:
                word = words[places[found[0]] : places[found[1] - 1] + 1].strip()
                raise Refused(_not_said(word, group, backing), code="tone", where=where)
        _refuse_shouting(words, where)


def _refuse_named_without_backing(said: str, backing: Backing, where: str) -> None:
    for name, needs in (
        ("interest_notice", "interest"), ("interest", "interest"), ("compensation", "compensation"), ("fees", "fees"),
        ("cash_only", "cash_only"),
    ):
        if name in names_in(said) and not backing.allows(needs):
            reason = next(group.why for group in _groups() if group.needs == needs)
            raise Refused(
                f"“{{{{ {name} }}}}” would have nothing to say: {reason.replace('it speaks', 'it would speak')}. "
                "Leave it out.",
                code="tone", where=where,
            )


def _not_said(word: str, group: Group, backing: Backing) -> str:
    why = group.why
    if group.needs == "handover" and backing.consumers:
        why = "the clients of this policy are consumers, and nobody threatens them"
    return f"“{word}” cannot be said: {why}. Instead, {group.instead}."


def _first_of(group: Group, plain: str, language: str, by_law: tuple[str, ...]) -> tuple[int, int] | None:
    """Where a word of the group stands; its own language's words first, then those of the others."""
    asked = _pattern(f"*{_plain(word)[0].strip()}*" for word in by_law) if by_law else None
    for other in sorted(group.words, key=lambda one: one != language):
        ordinary = _ordinary().get(language) if other != language else None
        but = [group.but.get(other), group.but.get(language), ordinary, asked]
        means_else = [found.span() for pattern in but if pattern for found in pattern.finditer(plain)]
        for found in group.words[other].finditer(plain):
            if not any(begins <= found.start() and found.end() <= ends for begins, ends in means_else):
                return found.span()
    return None


def _refuse_shouting(words: str, where: str) -> None:
    found = re.search(r"[!?]\s*!|!\s*[!?]", words)
    if found:
        raise Refused(
            f"“{found[0]}” shouts. Instead, end the sentence with a full stop.", code="tone", where=where
        )
    run: list[str] = []
    for word in [*_SHOUTED.findall(words), ""]:
        if word.isupper() and word not in _told()["abbreviations"]:
            run.append(word)
            continue
        if len(run) > 1 or any(len(one) > 3 for one in run):
            raise Refused(
                f"“{' '.join(run)}” in capitals shouts. Instead, write it in small letters.", code="tone", where=where
            )
        run = []


def _refuse_braces(said: str, where: str) -> None:
    left = _BRACES.search(_NAME.sub("", said))
    if left is None:
        return
    if left[0] in ("{%", "%}"):
        raise Refused("There is no “{% … %}” here; only names in double braces, such as {{ total }}.", where=where)
    around = re.search(r"\{\{[^{}]*", said) if left[0] == "{{" else None
    what = f"“{around[0].strip()[:40]}” is not closed" if around else f"“{left[0]}” stands alone"
    raise Refused(
        f"{what}; a name stands between two braces on either side, such as {{{{ total }}}}.", code="braces", where=where
    )


def _unknown(name: str) -> str:
    near = difflib.get_close_matches(re.sub(r"\W+", "_", name.casefold()), NAMES, n=1, cutoff=0.5)
    if near:
        return f"“{{{{ {name} }}}}” is not a known name; did you mean “{{{{ {near[0]} }}}}”?"
    return f"“{{{{ {name} }}}}” is not a known name; known are {', '.join(NAMES)}."


def _plain(text: str) -> tuple[str, list[int]]:
    """Text without case, accents, umlauts and unseen characters; and from where in it each letter came.

    >>> _plain("Pfändung, Œuvre’s")[0]
    'pfaendung  oeuvre s'
    """
    letters: list[str] = []
    places: list[int] = []
    for place, char in enumerate(text):
        for letter in _plain_letter(char):
            letters.append(letter)
            places.append(place)
    return "".join(letters), places


@lru_cache(maxsize=2048)
def _plain_letter(char: str) -> str:
    if _UNSEEN.match(char) or unicodedata.combining(char):
        return ""
    folded = {"ä": "ae", "ö": "oe", "ü": "ue", "œ": "oe", "æ": "ae"}.get(char.casefold())
    if folded:
        return folded
    bare = "".join(c for c in unicodedata.normalize("NFKD", char.casefold()) if not unicodedata.combining(c))
    return bare if bare.isalnum() else " "


@lru_cache(maxsize=1)
def _told() -> dict[str, Any]:
    return tomllib.loads((Path(__file__).parent / "step_tone.toml").read_text(encoding="utf-8"))


@lru_cache(maxsize=1)
def _ordinary() -> dict[str, re.Pattern[str]]:
    """By language the words that are threats in another language and ordinary in this one: French «seize» is 16."""
    return {language: _pattern(words) for language, words in _told()["ordinary"].items()}


@lru_cache(maxsize=1)
def _groups() -> tuple[Group, ...]:
    return tuple(
        Group(
            group["needs"], group["why"], group["instead"],
            {language: _pattern(group[language]) for language in LANGUAGES if language in group},
            {language: _pattern(group[f"but_{language}"]) for language in LANGUAGES if f"but_{language}" in group},
        )
        for group in _told()["group"]
    )


def _pattern(words: Iterable[str]) -> re.Pattern[str]:
    """Any of the words, each whole; * is any beginning or ending, and a space any break between words."""
    found = (r" +".join(re.escape(part).replace(r"\*", r"[^ ]*") for part in word.split()) for word in words)
    return re.compile(rf"(?<![^ ])(?:{'|'.join(found)})(?![^ ])")
