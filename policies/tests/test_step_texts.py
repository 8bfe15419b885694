"""Our own words for a step: names that are known, braces that are closed, and nothing the policy does not back."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.models import Event
from core.errors import Refused
from policies.models import GuardRail, Policy, StepText
from policies.services import default_policy, new_version, save_step_text, step_text_of
from policies.services.drafts import keep_as_draft
from policies.services.versions import steps_of, values_of, what_is_wrong
from policies.step_texts import (
    EXAMPLES,
    NAMES,
    Backing,
    check_text,
    check_tone,
    example_of,
    filled,
    paragraphs,
)

ON = dt.date(2026, 11, 18)
EVERYTHING = Backing(handover=True, interest=True, fees=True, compensation=True, cash_only=True)


def refused(text: str, language: str = "en", backing: Backing | None = None) -> str:
    with pytest.raises(Refused) as said:
        check_text("", text)
        check_tone("", text, language, backing or Backing())
    return said.value.message


@pytest.mark.parametrize(("written", "meant"), [
    ("totl", "total"), ("Client", "client"), ("client.name", "client"), ("paybydate", "pay_by"),
    ("firstname", "first_name"),
])  # fmt: skip
def test_an_unknown_name_is_refused_and_the_nearest_known_one_is_suggested(written, meant):
    said = refused(f"You owe {{{{ {written} }}}}.")
    assert f"“{{{{ {written} }}}}” is not a known name; did you mean “{{{{ {meant} }}}}”?" == said


def test_a_name_like_no_other_is_answered_with_the_list():
    assert "known are client, contact" in refused("{{ qqq }}")


@pytest.mark.parametrize("text", ["{{ total", "total }}", "{ total }", "{{ total }", "{{ {{ total }} }}", "{"])
def test_braces_that_are_not_closed_are_refused(text):
    assert "brace" in refused(text)


@pytest.mark.parametrize("text", ["{% if 1 %}x{% endif %}", "{{ total|safe }}", "{{ client.company }}", "{{ }}"])
def test_nothing_of_a_template_language_is_understood(text):
    assert refused(text)


def test_the_subject_is_one_line_of_two_hundred_characters_and_the_refusal_names_the_field():
    for subject in ("one\ntwo", "x" * 201, "bell \x07"):
        with pytest.raises(Refused) as said:
            check_text(subject, "")
        assert said.value.where == "subject"


@given(st.text(max_size=60), st.text(max_size=60))
def test_what_a_value_holds_is_never_read_again_and_ends_no_line(name, total):
    said = filled("{{ client }}|{{ total }}", {"client": name or "x", "total": total or "x"})
    assert said is not None and not set(said) & set("\r\n\u2028\u2029\x00")
    assert said.count("|") == 1 + name.count("|") + total.count("|")


def test_a_client_called_like_a_name_stays_a_client():
    name = "{{ total }} {% x %} <b>"
    assert paragraphs("{{ client }}", {"client": name, "total": "€1"}) == [name]


def test_a_paragraph_with_a_name_that_has_nothing_to_say_is_left_out():
    text = "{{ total }} is open.\r\n\r\nPay by {{ pay_by }}.\n\n\n  \nThank\nyou."
    assert paragraphs(text, {"total": "€5.00", "pay_by": ""}) == ["€5.00 is open.", "Thank you."]


def test_every_name_has_an_example_in_every_language():
    assert set(EXAMPLES) == set(NAMES)
    assert all(example_of(name, language) for name in NAMES for language in ("en", "de", "fr"))


THREATS = [
    ("en", "Otherwise we take you to Court.", "Court"),
    ("en", "Our ATTORNEYS will write to you.", "ATTORNEYS"),
    ("en", "We will hand this to a debt  collection firm.", "debt  collection"),
    ("en", "Your credit rating will suffer.", "credit rating"),
    ("en", "We call the police.", "police"),
    ("en", "We will seize your goods.", "seize"),
    ("en", "Our id\u00adiotic friends", "id\u00adiotic"),
    ("de", "Sonst übergeben wir an ein Inkassobüro.", "Inkassobüro"),
    ("de", "Unsere Rechtsanwältin meldet sich.", "Rechtsanwältin"),
    ("de", "Unsere Rechtsanwaeltin meldet sich.", "Rechtsanwaeltin"),
    ("de", "Es droht die Pfa\u0308ndung.", "Pfändung"),
    ("de", "Wir beantragen einen Mahnbescheid beim Amtsgericht.", "Mahnbescheid"),
    ("de", "Wir melden Sie der SCHUFA.", "SCHUFA"),
    ("de", "Das ist unverschämt.", "unverschämt"),
    ("fr", "Nous saisirons le tribunal.", "tribunal"),
    ("fr", "Notre avocate vous écrira.", "avocate"),
    ("fr", "Une société de recouvrement prendra contact.", "recouvrement"),
    ("fr", "Vous êtes malhonnête.", "malhonnête"),
    ("fr", "L’huissier passera.", "huissier"),
]  # fmt: skip


@pytest.mark.parametrize(("language", "text", "word"), THREATS)
def test_a_threat_or_an_insult_is_refused_with_the_word_why_and_what_to_write_instead(language, text, word):
    said = refused(text, language)
    assert said.startswith(f"“{word}” cannot be said: ") and "Instead, " in said


def test_a_threat_is_refused_whatever_language_the_words_are_kept_for():
    """Words in German kept as English reach whoever reads English. Three words are ordinary elsewhere."""
    elsewhere = {("Court", "fr"), ("seize", "fr"), ("police", "de")}  # short, sixteen, and an insurance policy
    for language, text, word in THREATS:
        for kept_for in {"en", "de", "fr"} - {language}:
            if (word, kept_for) in elsewhere:
                check_tone("", text, kept_for, Backing())
            else:
                assert refused(text, kept_for).startswith(f"“{word}” cannot be said"), (text, kept_for)


@pytest.mark.parametrize(("language", "text", "backed_by"), [
    ("en", "We may hand it to an attorney.", "handover"), ("de", "Danach geht es an ein Inkassobüro.", "handover"),
    ("fr", "Nous confierons le dossier à un huissier.", "handover"),
    ("en", "Interest is charged.", "interest"), ("de", "Es fallen Verzugszinsen an.", "interest"),
    ("fr", "Des pénalités de retard sont dues.", "interest"), ("en", "A fee of 5 is charged.", "fees"),
    ("de", "Wir berechnen eine Mahngebühr.", "fees"), ("fr", "Des frais sont dus.", "fees"),
    ("de", "Die Pauschale beträgt 40 Euro.", "compensation"), ("en", "We supply cash-only from now on.", "cash_only"),
    ("fr", "L’indemnité forfaitaire pour frais de recouvrement est de 40 euros.", "compensation"),
    ("de", "Wir liefern nur noch gegen Vorkasse.", "cash_only"), ("fr", "Nous suspendons vos livraisons.", "cash_only"),
    ("en", "{{ interest_notice }}", "interest"), ("en", "{{ fees }}", "fees"), ("en", "{{ cash_only }}", "cash_only"),
])  # fmt: skip
def test_what_the_policy_backs_may_be_said_and_only_then(language, text, backed_by):
    refused(text, language, replace(EVERYTHING, **{backed_by: False}))
    check_tone("", text, language, Backing(**{backed_by: True}))


def test_consumers_are_never_threatened_not_even_where_a_step_hands_over():
    assert "consumers" in refused("Our attorney will write.", "en", Backing(handover=True, consumers=True))


@pytest.mark.parametrize("text", ["Pay NOW or LATE", "PAY NOW", "Please pay!!", "Really?!", "URGENT"])
def test_shouting_is_refused(text):
    assert "shouts" in refused(text, backing=EVERYTHING)


@pytest.mark.parametrize(("language", "text"), [
    ("en", "Courtesy first: our IBAN and VAT number stand on the PDF. Thank you!"),
    ("en", "It is in your interest to tell us early; we are interested in a solution."),
    ("en", "A short look ahead: {{ total }} is due on {{ due }}. Is anything holding it up?"),
    ("de", "Im Bericht steht alles; wir haben es eingerichtet. Bitte überweisen Sie bis {{ pay_by }}."),
    ("de", "Vielen Dank für Ihre Treue, {{ first_name }} {{ last_name }}."),
    ("fr", "Sauf erreur de notre part, {{ total }} reste dû. La facture est jointe encore une fois."),
    ("fr", "Nous aimerions poursuivre notre collaboration. Merci !"),
    ("fr", "Il reste seize jours, un délai court ; or face à cette date, écrivez-nous."),
    ("de", "Auf hell gedrucktem Papier, zu Ihrer Police Nr. 7."), ("en", "As amended in May."),
])  # fmt: skip
def test_what_is_polite_passes(language, text):
    check_text("", text)
    check_tone("", text, language, Backing())


@pytest.fixture
def policy(db) -> Policy:
    return default_policy("test")


def save(step="reminder_1", tone="plain", language="en", subject="", text="") -> StepText:
    return save_step_text("standard", step, tone, language, subject, text, on=ON, by="vera")


def test_own_words_hold_from_the_newest_row_and_are_in_the_trail(policy):
    save(text="First.")
    row = save(subject="Please pay {{ total }}", text="Second.")
    assert step_text_of("standard", "reminder_1", "plain", "en") == row
    assert step_text_of("standard", "reminder_1", "plain", "de") is None, "another language keeps its own"
    assert Event.objects.filter(action="step_text_saved").count() == 2
    assert row.made_by == "vera"


def test_words_of_the_step_go_before_words_of_its_tone_and_empty_ones_mean_the_words_shipped(policy):
    everywhere = save(step="", text="For all of this tone.")
    assert step_text_of("standard", "reminder_1", "plain", "en") == everywhere
    own = save(text="For this one.")
    assert step_text_of("standard", "reminder_1", "plain", "en") == own
    assert step_text_of("standard", "statement", "plain", "en") == everywhere
    save()
    assert step_text_of("standard", "reminder_1", "plain", "en") is None
    save(step="")
    assert step_text_of("standard", "statement", "plain", "en") is None


def test_a_final_notice_may_name_what_follows_another_step_may_not(policy):
    text = "After that day we decide how to go on; an attorney is one of the possibilities."
    save("final_notice", "formal", text=text)
    with pytest.raises(Refused, match="attorney"):
        save(text=text)
    changed(policy, {"review": {"moves_stage_to": "handed_over", "offset_days": 120}})
    save_step_text("standard", "reminder_1", "plain", "en", "", text, on=ON + dt.timedelta(days=1), by="vera")


def test_interest_may_be_spoken_of_where_the_policy_charges_it(policy):
    save(text="Interest may be charged.")
    none = {"effective_from": ON, "changes": {"interest": "NONE"}, "on": ON - dt.timedelta(1), "by": "t"}
    with pytest.raises(Refused, match=r"“First reminder”, our own words \(English\): “Interest” cannot be said"):
        new_version(policy, steps=None, **none)
    save()  # given back: the words shipped say nothing of it where none is charged
    new_version(policy, steps=None, **none)
    with pytest.raises(Refused, match="charges none"):
        save(text="Interest may be charged.")


def test_words_are_held_against_a_version_that_is_still_to_come(policy):
    new_version(
        policy, effective_from=ON + dt.timedelta(days=9), changes={"interest": "NONE"}, steps=None, on=ON, by="t"
    )
    with pytest.raises(Refused, match=r"For the version from \d{4}-\d\d-\d\d: “Interest” cannot be said"):
        save(text="Interest may be charged.")
    save(text="Please pay {{ total }}.")


def test_a_version_that_hands_nothing_over_any_more_is_refused_while_words_name_an_attorney(policy):
    handover = changed(policy, {"review": {"moves_stage_to": "handed_over", "offset_days": 120}})
    on = handover.effective_from
    save_step_text("standard", "", "plain", "de", "", "Danach geht es an einen Rechtsanwalt.", on=on, by="vera")
    steps = [step | {"moves_stage_to": ""} for step in steps_of(handover)]
    wrong = what_is_wrong("standard", values_of(handover), steps, effective_from=on + dt.timedelta(days=1))
    assert [(one.step, one.where) for one in wrong] == [("reminder_1", "tone")], "once, although two steps say it"
    assert "our own words (German): “Rechtsanwalt” cannot be said" in wrong[0].sentence
    consumers = values_of(handover) | {"for_consumers": True}
    assert "consumers" in what_is_wrong("standard", consumers, steps_of(handover), effective_from=on)[0].sentence


def test_words_of_a_mandatory_notice_say_what_the_law_asks_for(policy):
    """They are written while the version is a draft: then the law backs them; from then on they cannot go."""
    GuardRail.objects.create(
        country="NO", code="inkasso", kind="words", value={"on": "notice", "words": ["inkasso"]}, as_of=ON,
        name="The word inkasso", says="It has to be said.", source="§ 9", made_by="t",
    )  # fmt: skip
    it = "Saken går ellers til inkasso."
    with pytest.raises(Refused, match="collection agency"):
        save("reissue", "firm", text=it)  # nothing hands over, and no law asks for the word
    steps = [step | {"pay_within_days": 15} for step in steps_of(policy) if step["code"] == "reissue"]
    norway = {"jurisdictions": "NO"}
    assert "write words of your own" in what_is_wrong(
        "standard", values_of(policy) | norway, steps, effective_from=ON
    )[0].sentence  # fmt: skip
    keep_as_draft(policy, values=norway, steps=steps, begins=ON, by="t")
    save("reissue", "firm", text=it)
    new_version(policy, effective_from=ON, changes=norway, steps=steps, on=ON - dt.timedelta(days=1), by="t")
    for words in ("Please pay.", ""):
        with pytest.raises(Refused, match="has to say “inkasso” by “The word inkasso” \\(NO\\)") as said:
            save("reissue", "firm", text=words)
        assert said.value.where == "text"
    save("", "firm", text="A firm word.")  # the step has words of its own, which go before
    save("reissue", "firm", text=f"Vennligst betal. {it}")


@pytest.mark.parametrize(("fields", "where"), [
    ({"step": "no_such"}, "step"), ({"step": "call_1", "tone": "helpful"}, "step"), ({"tone": "firm"}, "tone"),
    ({"step": "", "tone": "neutral"}, "tone"), ({"language": "xx"}, "language"), ({"text": "{{ totl }}"}, "text"),
    ({"subject": "You idiot"}, "subject"),
])  # fmt: skip
def test_words_for_nothing_are_refused_with_the_field_and_nothing_is_kept(policy, fields, where):
    with pytest.raises(Refused) as said:
        save(**{"text": "Hello."} | fields)
    assert said.value.where == where and not StepText.objects.exists()


def changed(policy: Policy, by_code: dict) -> Policy:
    """The next version of a policy with some fields of some steps changed."""
    steps = [step | by_code.get(step["code"], {}) for step in steps_of(policy)]
    day = ON + dt.timedelta(days=1)
    return new_version(policy, effective_from=day, changes={}, steps=steps, on=ON, by="test")
