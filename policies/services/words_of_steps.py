"""Our own words held against what a version does: they stay, and a new version may take away what they speak of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from core.errors import Refused
from core.models import LANGUAGES
from policies.guard_rails import Rail, StepValues, is_message, name_of
from policies.interest import Rule
from policies.ladder_checks import Wrong
from policies.models import StepText
from policies.step_texts import backing_by, check_tone


def own_words(name: str) -> dict[tuple[str, str, str], StepText]:
    """The newest row of each (step or "", tone, language) of a policy; one without texts means the words shipped."""
    newest: dict[tuple[str, str, str], StepText] = {}
    for row in StepText.objects.filter(policy_name=name).order_by("id"):
        newest[(row.step, row.tone, row.language)] = row
    return newest


def words_of(step: StepValues, language: str, words: Mapping[tuple[str, str, str], StepText]) -> StepText | None:
    """Our own words for a step in a language: those for the step itself go before those for its tone."""
    found = words.get((step["code"], step["tone"], language)) or words.get(("", step["tone"], language))
    return found if found is not None and (found.subject or found.text) else None


def texts_by_step(name: str, steps: Sequence[StepValues]) -> dict[str, list[str]]:
    """Our own texts for each step that has some, in every language there are some in."""
    words = own_words(name)
    found: dict[str, list[str]] = {}
    for step in steps:
        for language in sorted({key[2] for key in words}):
            mine = words_of(step, language, words)
            if mine is not None and mine.text:
                found.setdefault(step["code"], []).append(mine.text)
    return found


def words_by_law(rails: Iterable[Rail]) -> list[str]:
    """The words that some rails want in a mandatory notice."""
    return [
        str(word) for rail in rails if rail.kind == "words" and rail.value.get("on") != "invoice"
        for word in rail.value["words"]
    ]  # fmt: skip


def wrong_with_words(
    name: str, values: Mapping[str, Any], steps: Sequence[StepValues], rule: Rule | None, rails: Iterable[Rail]
) -> list[Wrong]:
    """Our own words that a version with these values and steps would not back, each once.

    ``rule`` is that of its interest, ``rails`` those of its countries. Nothing is said where the rule is not known:
    that is refused already.
    """
    if rule is None:
        return []
    words, by_law = own_words(name), words_by_law(rails)
    found: dict[int, Wrong] = {}
    for step in filter(is_message, steps):
        for language, label in LANGUAGES:
            row = words_of(step, language, words)
            if row is None or row.pk in found:
                continue
            meant = [step] if row.step else [one for one in steps if is_message(one) and one["tone"] == row.tone]
            consumers = bool(values.get("for_consumers"))
            backing = backing_by(steps, meant, rule=rule, consumers=consumers, by_law=by_law)
            try:
                check_tone(row.subject, row.text, language, backing)
            except Refused as refused:
                found[row.pk] = Wrong(
                    f"{name_of(step)}, our own words ({label}): {refused.message} Change them first, under “Texts of "
                    "steps”.",
                    str(step["code"]), "tone",
                )  # fmt: skip
    return list(found.values())
