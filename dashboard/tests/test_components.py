"""The components every staff page is made of."""

import re
from decimal import Decimal
from types import SimpleNamespace

import pytest
from crispy_forms.utils import render_crispy_form
from django import forms
from django.conf import settings
from django.core.paginator import Paginator
from django.template import Context, Template
from django.test import RequestFactory
from django.utils.safestring import mark_safe
from django.utils.translation import override

from dashboard.forms_layout import HouseForm, Section
from dashboard.templatetags.ledger import STATES, aging_table, icon_names, initials


def render(source: str, path: str = "/", **context: object) -> str:
    request = RequestFactory().get(path)
    return Template("{% load ledger %}" + source).render(Context({"request": request, **context}))


def test_every_icon_a_template_names_is_in_the_sprite():
    named = set()
    for template in (settings.BASE_DIR / "templates").rglob("*.html"):
        text = template.read_text()
        named |= {(template.name, name) for name in re.findall(r'{% icon "([^"]+)"', text)}
        named |= {(template.name, name) for name in re.findall(r'\b(?:note_)?icon="([^"]+)"', text)}
        named |= {(template.name, name) for name in re.findall(r'{% nav_item "[^"]+" "([^"]+)"', text)}
    assert len(named) > 20
    assert {(where, name) for where, name in named if name not in icon_names()} == set()


def test_a_wrong_icon_is_said_at_once():
    with pytest.raises(ValueError, match="no icon «telephone»"):
        render('{% icon "telephone" %}')


def test_a_part_is_drawn_anew_where_a_word_a_number_or_the_language_differs():
    both = render("{% pill markup %}{% pill words %}", markup=mark_safe("<b>1</b>"), words="<b>1</b>")
    assert "><b>1</b><" in both and ">&lt;b&gt;1&lt;/b&gt;<" in both
    tags = ['{% state "paid" %}', "{% keys_sheet %}"]
    english = [render(tag) for tag in tags]
    with override("de"):
        assert all(render(tag) != words for tag, words in zip(tags, english, strict=True))
    assert [render(tag) for tag in tags] == english
    lines = [render('{% nav_item "dashboard:work" "phone" "Work" count=n %}', path, n=n)
             for path in ("/", "/work/") for n in (None, 0, 1, 2)]  # fmt: skip
    assert [line.count("<em>") for line in lines] == [0, 0, 1, 1] * 2
    assert ["aria-current" in line for line in lines] == [False] * 4 + [True] * 4
    assert len(set(lines)) == 6


def test_every_state_has_a_word_and_an_icon_beside_its_colour():
    for key, look in STATES.items():
        pill = render("{% state key %}", key=key)
        assert str(look.label) in pill
        assert f"#{look.icon}" in pill


def test_no_template_carries_what_the_content_security_policy_forbids():
    for template in (settings.BASE_DIR / "templates").rglob("*.html"):
        if "mail" in template.parts or "pdf" in template.parts:  # no browser page
            continue
        text = template.read_text()
        found = re.findall(r'\sstyle="|<style|\son[a-z]+="|javascript:|<script(?![^>]*\bsrc=)', text)
        assert not found, f"{template.name}: {found}"


def test_money_is_shown_exactly_and_a_key_figure_without_decimals():
    assert render('{{ a|money:"EUR" }} {{ a|about:"EUR" }}', a=Decimal("5748.89")) == "€5,748.89 €5,749"
    assert render('{{ a|money:"JPY" }}{{ none|money:"EUR" }}', a=Decimal("1200"), none=None) == "¥1,200"


def test_the_aging_bars_fill_the_width_and_show_no_negative():
    rows = [{"label": str(n), "count": 1, "amount": Decimal(n)} for n in (600, 300, -5, 100)]
    drawn = aging_table(rows, "EUR")["rows"]
    assert [row["percent"] for row in drawn] == [60, 30, 0, 10]
    assert [row["bar"] for row in drawn] == ["100.0", "50.0", "0.0", "16.7"]
    last = drawn[-1]
    assert float(last["left"]) + float(last["width"]) == pytest.approx(999)


def test_an_empty_book_has_an_aging_table_too():
    rows = [SimpleNamespace(label="Not due", count=0, amount=Decimal(0), url="")]
    assert "€0.00" in render('{% aging_table rows "EUR" %}', rows=rows)


def test_a_heading_sorts_and_then_sorts_the_other_way_and_keeps_the_filter():
    fresh = render('{% sort_header "due" "Due" %}', "/invoices/?q=oak&page=3")
    assert "aria-sort" not in fresh
    assert "?q=oak&amp;sort=due" in fresh
    again = render('{% sort_header "due" "Due" %}', "/invoices/?sort=due")
    assert 'aria-sort="ascending"' in again
    assert "?sort=-due" in again


def test_paging_keeps_the_filter():
    page = Paginator(range(120), 50).page(2)
    html = render("{% pagination page %}", "/invoices/?q=oak&page=2", page=page)
    assert "51 to 100 of 120" in html
    assert "?q=oak&amp;page=1" in html
    assert "?q=oak&amp;page=3" in html


@pytest.mark.parametrize(
    ("name", "letters"), [("Ada Kowalska", "AK"), ("ada", "A"), ("Ida van der Brandt", "IB"), ("", "?")]
)
def test_a_person_is_shown_by_the_first_and_last_initial(name, letters):
    assert initials(SimpleNamespace(get_full_name=lambda: name, get_username=lambda: "")) == letters


class TermsForm(HouseForm, forms.Form):
    rows = (Section("Terms", (("days", "limit"),)), "name")
    name = forms.CharField(label="Legal name")
    days = forms.IntegerField(label="Days to pay", help_text="A number of days.")
    limit = forms.DecimalField(label="Credit limit")
    since = forms.DateField(label="Client since", required=False)


def test_a_form_stands_in_the_house_layout_and_forgets_no_field():
    html = render_crispy_form(TermsForm(cancel_url="/clients/"))
    order = [html.index(f'name="{name}"') for name in ("days", "limit", "name", "since")]
    assert order == sorted(order)
    assert 'type="date"' in html
    assert 'inputmode="decimal"' in html
    assert "data-save" in html
    assert 'href="/clients/"' in html
    assert "style=" not in html


def test_a_refused_form_lists_each_error_with_a_link_to_its_field():
    form = TermsForm({"name": "", "days": "soon", "limit": "10"})
    form.add_error(None, "The client is over its limit.")
    html = render_crispy_form(form)
    assert "3 things to mend" in html
    assert '<a href="#id_name">Legal name</a>' in html
    assert '<a href="#id_days">Days to pay</a>' in html
    assert "<li>The client is over its limit.</li>" in html
    assert 'aria-invalid="true"' in html
