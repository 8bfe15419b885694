"""S24: whatever stands in a name, an address or a subject, a letter goes to the one addressee we meant."""

import datetime as dt
import email
import email.policy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Refused
from outbox.kinds import Composed
from outbox.letter import letter, mailbox
from outbox.models import Message

from .conftest import deliver

AT = dt.datetime(2026, 11, 18, 9, tzinfo=dt.UTC)
HOSTILE_NAMES = [
    'Acme, "Inc"',
    "eve@evil.test, Ada",
    "eve@evil.test",
    "<eve@evil.test>",
    'Ada" <eve@evil.test>, "x',
    "Ada <eve@evil.test>, Eve",
    "Acme, Incorporated and Sons and Daughters of the very long named Company, Accounts <eve@evil.test>",
    "Müller, Schmidt & Söhne Verwaltungsgesellschaft mbH & Co. KG, Buchhaltung <eve@evil.test>",
    "日本語株式会社、経理部 <eve@evil.test>",
    "=?utf-8?q?eve=40evil.test=2C?=",
    "group: eve@evil.test;",
    "back\\slash",
    "(comment) Ada",
    "'; DROP TABLE",
]
REFUSED_NAMES = ["Ada\r\nBcc: eve@evil.test", "Ada\nX: y", "Ada\rX", "Ada\x00", "Ada\u2028Bcc: eve@evil.test", "\ud800"]
REFUSED_ADDRESSES = [
    "ada@firm.test, eve@evil.test",
    "ada@firm.test,eve@evil.test",
    "ada@firm.test;eve@evil.test",
    "ada@firm.test eve@evil.test",
    "ada@firm.test\r\nRCPT TO:<eve@evil.test>",
    "ada@firm.test\nBcc: eve@evil.test",
    "ada@[127.0.0.1]",
    "ada@[IPv6:::1]",
    "ada@127.0.0.1",
    '"ada,eve"@firm.test',
    '"ada@firm.test> <eve"@evil.test',
    "Ada <ada@firm.test>",
    "<ada@firm.test>",
    "ada@firm.test>",
    "ada@@firm.test",
    "ada@firm@evil.test",
    "ada",
    "@firm.test",
    "ada@",
    "ada@localhost",
    "ada@-firm.test",
    "ada@firm..test",
    ".ada@firm.test",
    "ada.@firm.test",
    "ada@firm.test.",
    "ädä@firm.test",
    "ada@straße.test",
    "ada(comment)@firm.test",
    "ada@firm.test\x00",
    "a" * 65 + "@firm.test",
    "ada@" + "x" * 64 + ".test",
    "ada@" + "x." * 130 + "test",
    "",
]


def written(**fields):
    composed = Composed(**{"to_name": "Ada", "to_addr": "ada@firm.test", "subject": "Hi", "text": "Hi", **fields})
    return letter(composed, mail_from="ar@us.test", message_id="<ar-1@us.test>", at=AT)


def read(content):
    return email.message_from_bytes(content, policy=email.policy.default)


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_a_hostile_name_is_a_name_and_adds_no_addressee(name):
    sent = written(to_name=name, from_name=name)
    assert sent.recipients == ["ada@firm.test"]
    mail = read(sent.content)
    assert [a.addr_spec for a in mail["To"].addresses] == ["ada@firm.test"]
    assert [a.addr_spec for a in mail["From"].addresses] == ["ar@us.test"]
    assert set(mail.keys()) == {
        "From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type",
        "Content-Transfer-Encoding",
    }  # fmt: skip


@pytest.mark.parametrize("name", REFUSED_NAMES)
def test_a_name_with_a_line_break_is_refused(name):
    with pytest.raises(Refused) as refused:
        written(to_name=name)
    assert refused.value.code == "mail_name"


@pytest.mark.parametrize("addr", REFUSED_ADDRESSES)
def test_what_is_not_one_plain_address_is_refused_for_every_field(addr):
    with pytest.raises(Refused) as refused:
        written(to_addr=addr)
    assert refused.value.code == "mail_address"
    for field in ("cc_addr", "reply_to"):
        if addr:
            with pytest.raises(Refused):
                written(**{field: addr})


@pytest.mark.django_db
def test_hostile_strings_through_to_the_server_reach_the_one_we_meant(note, put, sink):
    note(
        compose=lambda m, now: Composed(
            m.payload["name"], m.payload["to"], m.payload["name"][:300].replace("\n", " ").replace("\r", " "), "Hi"
        )
    )
    attempts = [(name, "ada@firm.test") for name in HOSTILE_NAMES + REFUSED_NAMES[:4]]
    attempts += [("Ada", addr) for addr in REFUSED_ADDRESSES if "\x00" not in addr]
    for n, (name, addr) in enumerate(attempts):
        put(f"note:{n}", payload={"name": name.replace("\x00", "\x01"), "to": addr})
    assert len(attempts) >= 30
    counts = deliver()
    assert counts["sent"] == len(HOSTILE_NAMES)
    assert counts["failed"] == len(attempts) - len(HOSTILE_NAMES)
    assert sink.recipients == [["ada@firm.test"]] * len(HOSTILE_NAMES)
    for _, mail in sink.read():
        assert [a.addr_spec for a in mail["To"].addresses] == ["ada@firm.test"]
        assert mail["Bcc"] is None and mail["Cc"] is None
    assert not Message.objects.filter(state="failed", reason="").exists()


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\u2028\u2029"), max_size=200))
def test_any_name_leaves_the_address_as_it_was(name):
    mail = read(written(to_name=name).content)
    assert [a.addr_spec for a in mail["To"].addresses] == ["ada@firm.test"]


@given(st.text(max_size=80))
def test_any_text_is_refused_as_an_address_or_is_exactly_one(addr):
    try:
        box = mailbox("", addr)
    except Refused:
        return
    assert box.addr_spec.count("@") == 1 and box.addr_spec.isascii() and not set(box.addr_spec) & set(' ,;<>[]()"\r\n')


@pytest.mark.parametrize("subject", ["Hi\r\nBcc: eve@evil.test", "Hi\nthere", "Hi\x00", "Hi\u2028there"])
def test_a_subject_of_two_lines_is_refused(subject):
    with pytest.raises(Refused) as refused:
        written(subject=subject)
    assert refused.value.code == "mail_subject"


def test_too_long_is_refused_before_the_database_refuses_it():
    for fields in ({"subject": "x" * 301}, {"to_name": "x" * 201}, {"from_name": "x" * 201}):
        with pytest.raises(Refused):
            written(**fields)


def test_a_domain_in_another_script_travels_in_its_ascii_form():
    assert written(to_addr="ada@bücher.test").recipients == ["ada@xn--bcher-kva.test"]


def test_the_copy_stands_in_a_field_of_its_own():
    sent = written(cc_addr="boss@firm.test")
    assert sent.recipients == ["ada@firm.test", "boss@firm.test"]
    assert [a.addr_spec for a in read(sent.content)["Cc"].addresses] == ["boss@firm.test"]


def test_several_copies_stand_in_one_field_and_each_is_one_address():
    sent = written(cc_addr="boss@firm.test", more_copies=("tax@office.test", "jo@firm.test"))
    copies = ["boss@firm.test", "tax@office.test", "jo@firm.test"]
    assert sent.recipients == ["ada@firm.test", *copies]
    assert read(sent.content).get_all("Cc") and [a.addr_spec for a in read(sent.content)["Cc"].addresses] == copies
    assert len(read(sent.content).get_all("Cc")) == 1
    with pytest.raises(Refused):
        written(more_copies=("tax@office.test, eve@evil.test",))


def test_every_text_arrives_as_it_was_written():
    text = "Ünïcode – 1 000 €\n.\n.. a line of dots\nFrom here\n" + "x" * 3000 + "\n"
    mail = read(written(text=text, html="<p>" + "ü" * 2000 + "</p>").content.replace(b"\r\n", b"\n"))
    assert mail.get_body(("plain",)).get_content() == text
    assert mail.get_body(("html",)).get_content().strip() == "<p>" + "ü" * 2000 + "</p>"
    assert max(len(line) for line in written(text=text).content.split(b"\r\n")) <= 200


def test_text_that_no_mail_can_carry_is_refused():
    with pytest.raises(Refused):
        written(text="\ud800")


def test_a_file_name_cannot_break_out_of_its_header():
    name = 'a"\r\nX-Evil: 1\r\n\r\n../../b.pdf'
    [attached] = read(written(attachments=[(name, "application/pdf", b"x")]).content).iter_attachments()
    assert "\r" not in attached.get_filename() and "/" not in attached.get_filename()
    assert attached["X-Evil"] is None
