"""core.mail: what a mail says, in three languages, with everybody's text as text."""

import pytest
from django.test import override_settings

from core import mail
from core.models import Company

FRAME = "{% extends 'mail/base.html' %}{% block content %}<h1>{{ title }}</h1><p>{{ said }}</p>{% endblock %}"
PLAIN = "{% extends 'mail/base.txt' %}{% block content %}{{ title }}\n\n\n\n{{ said }}   \n{% endblock %}"


@pytest.fixture
def letters(tmp_path, settings):
    """A mail called `letter` of our own, in front of the real frame."""
    folder = tmp_path / "mail"
    folder.mkdir()
    (folder / "letter.subject.txt").write_text("{{ title }}\n  of today\n")
    (folder / "letter.txt").write_text(PLAIN)
    (folder / "letter.html").write_text(FRAME)
    templates = [dict(settings.TEMPLATES[0])]
    templates[0]["DIRS"] = [tmp_path, *templates[0]["DIRS"]]
    with override_settings(TEMPLATES=templates):
        yield


def company(**fields) -> Company:
    return Company(name="Lumen & Oak", legal_name="Lumen & Oak GmbH", phone="+49 30 5550 147", **fields)


def letter(language="en", **context):
    context = {"company": company(), "title": "Invoice 7", "said": "Hello", **context}
    return mail.compose("letter", context, language)


def test_a_mail_has_a_subject_of_one_line_a_text_and_html(letters):
    subject, text, html = letter(link_url="https://ar.example/i/1/x/", link_label="See the invoice")
    assert subject == "Invoice 7 of today"
    assert text.startswith("Invoice 7\n\nHello\n\nSee the invoice:\nhttps://ar.example/i/1/x/\n")
    assert '<a href="https://ar.example/i/1/x/" style="' in html
    assert "See the invoice</a>" in html


def test_values_are_escaped_in_html_and_only_there(letters):
    subject, text, html = letter(title="A & B", said="<script>alert(1)</script>")
    assert subject == "A & B of today"
    assert "<script>alert(1)</script>" in text and "Lumen & Oak GmbH" in text
    assert "<script" not in html and "&lt;script&gt;" in html


def test_what_people_wrote_is_never_template_syntax(letters, settings):
    attempts = ("{{ company.phone }}", "{% now 'Y' %}", "{% include 'mail/base.txt' %}", "%(phone)s", "{company.phone}")
    for said in attempts:
        subject, text, html = letter(title=said, said=said)
        assert said in subject and said in text
        assert said.replace("'", "&#x27;") in html or said in html


def test_the_frame_speaks_the_readers_language(letters):
    assert "Our bank details never change by e-mail." in letter("en")[1]
    assert "Unsere Bankverbindung ändert sich nie per E-Mail." in letter("de")[1]
    assert "Nos coordonnées bancaires ne changent jamais par e-mail." in letter("fr")[2]
    assert 'lang="de"' in letter("de")[2]


def test_styles_are_inlined_and_nothing_is_loaded(letters):
    html = letter(link_url="https://ar.example/i/1/x/", link_label="See")[2]
    assert '<body style="' in html and '<h1 style="' in html
    assert "<link" not in html and "<img" not in html and "url(" not in html


def test_the_brand_colour_is_a_colour_or_ours(letters):
    assert "#123abc" in letter(company=company(accent="#123abc"))[2]
    for colour in ("red;}x{", "}", "", "#12345", "#12345g"):
        html = letter(company=company(accent=colour))[2]
        assert "#0f5f57" in html
        assert f"background: {colour}" not in html or not colour


def test_there_is_no_button_without_a_link(letters):
    assert "<table" not in letter()[2]


def test_words_on_the_button_can_be_read_whatever_the_brand_colour(letters):
    button = {"link_url": "https://ar.example/i/1/x/", "link_label": "See"}
    assert "color: #ffffff" in letter(company=company(accent="#0f5f57"), **button)[2]
    light = letter(company=company(accent="#f4b740"), **button)[2]
    on_the_button = light.partition('<table class="button"')[2].partition(">See<")[0]
    assert "background: #f4b740" in on_the_button and "color: #14211e" in on_the_button
    assert "#ffffff" not in on_the_button
