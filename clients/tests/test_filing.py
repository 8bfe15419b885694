"""What is kept on a client's file: documents of known types, web addresses, days that come back every year."""

import datetime as dt
import io
import zipfile

import pytest

from audit.models import Event
from clients.models import Address, Document, KeyDate, Profile
from clients.services.checks import enter_check
from clients.services.filing import (
    add_document,
    look_at_profile,
    remove_address,
    remove_document,
    remove_key_date,
    remove_profile,
    save_address,
    save_key_date,
    save_profile,
)
from core.errors import Refused
from core.models import StoredFile
from core.services import read_file
from tests.cast import CLERK, TODAY

pytestmark = pytest.mark.django_db
PDF = b"%PDF-1.7 made up"


def word(*names):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in ("[Content_Types].xml", *names):
            archive.writestr(name, "x")
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("Tax form.PDF", PDF), ("scan.png", b"\x89PNG\r\n\x1a\n..."), ("scan.jpeg", b"\xff\xd8\xff\xe0"),
        ("note.txt", "Müller sagt zu.\r\n".encode()), ("list.csv", b"a;b\n\xe4;1\n"), ("facts.json", b'{"a": 1}'),
        ("letter.docx", word("word/document.xml")),
    ],
)  # fmt: skip
def test_a_document_of_a_known_type_is_kept_byte_for_byte(late_client, name, content):
    document = add_document(late_client, name, content, "contract", by=CLERK)
    assert read_file(document.file.sha256) == content
    assert (document.name, document.added_by, document.kind) == (name, CLERK, "contract")
    assert Event.objects.get(action="document_added").diff == {"sha256": document.file.sha256}
    assert add_document(late_client, name, content, "contract", by=CLERK) == document


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("tool.exe", b"MZ", "type"), ("page.html", b"<html>", "type"), ("picture.svg", b"<svg/>", "type"),
        ("no ending", PDF, "type"), ("report.pdf", b"<html>", "type"), ("report.png", PDF, "type"),
        ("report.pdf.exe", PDF, "type"), ("facts.json", b"{,}", "type"), ("note.txt", b"\x00\x01", "type"),
        ("letter.docx", word("xl/workbook.xml"), "type"), ("letter.docx", b"PK\x03\x04", "type"),
        ("letter.docx", word("word/document.xml", "word/vbaProject.bin"), "type"), ("empty.pdf", b"", "empty"),
        ("large.pdf", PDF + b"0" * (10 * 2**20), "too_large"),
    ],
)  # fmt: skip
def test_a_document_of_the_wrong_type_or_size_is_refused_with_what_to_do(late_client, name, content, code):
    with pytest.raises(Refused, match=r"PDF, PNG|10 MB are the most|is empty") as refused:
        add_document(late_client, name, content, by=CLERK)
    assert (refused.value.code, refused.value.where) == (code, "file")
    assert not Document.objects.exists() and not StoredFile.objects.exists()


def test_ten_megabytes_are_just_allowed(late_client):
    assert add_document(late_client, "large.pdf", PDF.ljust(10 * 2**20, b"0"), by=CLERK).file.size == 10 * 2**20


def test_a_document_taken_off_the_file_is_kept_with_who_took_it(late_client):
    document = add_document(late_client, "old.pdf", PDF, by=CLERK)
    remove_document(document, by="Bob")
    remove_document(document, by="Carol")
    kept = Document.objects.get()
    assert kept.removed_by == "Bob" and kept.removed_at is not None
    assert read_file(kept.file.sha256) == PDF
    assert add_document(late_client, "old.pdf", PDF, by=CLERK) != kept


def test_a_document_is_not_attached_to_the_check_of_another_client(good_client, late_client):
    check = enter_check(good_client, {"provider": "Agency"}, on=TODAY, by=CLERK)
    with pytest.raises(Refused, match="another client"):
        add_document(late_client, "report.pdf", PDF, "credit_check", credit_check=check, by=CLERK)
    with pytest.raises(Refused, match="not a kind"):
        add_document(late_client, "report.pdf", PDF, "gossip", by=CLERK)


def test_a_profile_remembers_when_somebody_looked_and_what_was_new(late_client):
    profile = save_profile(late_client, None, {"kind": "website", "url": "harbourlane.example/about"}, by=CLERK)
    assert profile.url == "https://harbourlane.example/about"
    look_at_profile(profile, "A second shop opens in May.", on=TODAY, by=CLERK)
    profile = look_at_profile(Profile.objects.get(), "", on=TODAY + dt.timedelta(days=30), by="Bob")
    assert (profile.news, profile.looked_by, profile.last_looked_on.month) == ("", "Bob", 12)
    with pytest.raises(Refused, match="already"):
        look_at_profile(profile, "late", on=TODAY, by=CLERK)
    assert Event.objects.filter(action="profile_looked_at").count() == 2
    remove_profile(profile, by=CLERK)
    assert not Profile.objects.exists() and Event.objects.filter(action="profile_removed").exists()


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "ftp://a.example", "https://", "no address", "https://u:p@a.example", ""]
)
def test_what_is_no_web_address_is_refused(late_client, url):
    with pytest.raises(Refused, match="not a web address") as refused:
        save_profile(late_client, None, {"kind": "website", "url": url}, by=CLERK)
    assert refused.value.where == "url"


def test_a_profile_stands_once_and_is_changed_even_where_a_form_has_touched_it(late_client):
    profile = save_profile(late_client, None, {"kind": "website", "url": "https://a.example"}, by=CLERK)
    with pytest.raises(Refused, match="already exists"):
        save_profile(late_client, None, {"kind": "other", "url": "a.example"}, by=CLERK)
    profile.url = "https://b.example"  # as a form leaves it
    save_profile(late_client, profile, {"url": "https://b.example"}, by=CLERK)
    assert Profile.objects.get().url == "https://b.example"
    assert Event.objects.get(action="profile_changed").diff == {"url": "…"}


def key_date(client, **facts):
    return save_key_date(client, None, {"kind": "founded", "month": 5, "day": 3} | facts, on=TODAY, by=CLERK)


def test_days_to_remember(late_client):
    person = late_client.contacts.get()
    birthday = key_date(late_client, kind="birthday", contact=person, month=2, day=29)
    assert (birthday.contact, birthday.month, birthday.day) == (person, 2, 29)
    changed = save_key_date(late_client, birthday, {"day": 28, "year": 1980}, on=TODAY, by=CLERK)
    assert (changed.pk, changed.day, changed.contact) == (birthday.pk, 28, person)
    remove_key_date(changed, by=CLERK)
    assert not KeyDate.objects.exists()
    assert "1980" not in str(list(Event.objects.values_list("diff", flat=True)))


@pytest.mark.parametrize(
    ("facts", "where"),
    [
        ({"month": 13}, "month"), ({"month": None}, "month"), ({"month": 4, "day": 31}, "day"), ({"day": 0}, "day"),
        ({"month": 2, "day": 30}, "day"), ({"year": 2027}, "year"), ({"year": 12}, "year"),
        ({"kind": "birthday"}, "contact"), ({"kind": "other"}, "label"), ({"kind": "wedding"}, "kind"),
    ],
)  # fmt: skip
def test_a_day_no_year_has_or_that_says_nothing_is_refused(late_client, facts, where):
    with pytest.raises(Refused) as refused:
        key_date(late_client, **facts)
    assert refused.value.where == where
    assert not KeyDate.objects.exists()


def test_a_birthday_belongs_to_somebody_of_this_client(good_client, late_client):
    with pytest.raises(Refused, match="at another client"):
        key_date(late_client, kind="birthday", contact=good_client.contacts.get())


HARBOUR = {"kind": "post", "street": "PO Box 12", "postal_code": "97201", "city": "Portland", "country": "us"}


def test_a_client_has_one_address_for_post_and_any_number_for_deliveries(late_client):
    post = save_address(late_client, None, HARBOUR, by=CLERK)
    assert post.country == "US" and str(post) == "PO Box 12, 97201 Portland"
    with pytest.raises(Refused, match="an address for post already"):
        save_address(late_client, None, HARBOUR, by=CLERK)
    for street in ("Dock 1", "Dock 2"):
        save_address(late_client, None, HARBOUR | {"kind": "delivery", "street": street}, by=CLERK)
    save_address(late_client, post, {"street": "PO Box 13"}, by=CLERK)
    remove_address(Address.objects.get(street="Dock 1"), by=CLERK)
    assert set(late_client.addresses.values_list("street", flat=True)) == {"PO Box 13", "Dock 2"}
    assert Event.objects.filter(action="address_changed", diff={"street": "…"}).exists()


@pytest.mark.parametrize(("field", "value", "said"), [
    ("country", "Utopia", "is not a country"), ("street", "", "blank"), ("city", "", "blank"),
    ("kind", "moon", "not a valid"),
])  # fmt: skip
def test_an_address_that_nothing_could_be_sent_to_is_refused(late_client, field, value, said):
    with pytest.raises(Refused, match=said) as refused:
        save_address(late_client, None, HARBOUR | {field: value}, by=CLERK)
    assert refused.value.where == field and not Address.objects.exists()
