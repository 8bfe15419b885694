"""Without a mail server, letters are files: each once, and a second writing would show."""

import email
import email.policy

import pytest

from outbox import transport

from .conftest import deliver, only
from .test_letter import written

pytestmark = pytest.mark.django_db


def test_a_letter_is_a_file_with_the_message_id_in_its_name(put, mail_folder):
    put()
    assert deliver()["sent"] == 1
    [file] = mail_folder.iterdir()
    message = only()
    assert message.message_id.strip("<>").partition("@")[0] in file.name and file.suffix == ".eml"
    assert message.reply == f"written to {file.name}" and message.handing_at and message.sent_at
    mail = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
    assert mail["Message-ID"] == message.message_id and mail["To"].addresses[0].addr_spec == "ada@firm.test"
    assert oct(file.stat().st_mode)[-3:] == "600" and oct(mail_folder.stat().st_mode)[-3:] == "700"


def test_a_second_writing_of_one_letter_does_not_hide_behind_the_first(mail_folder):
    way = transport.Folder(mail_folder)
    names = {way.hand_over(written(), lambda: None) for _ in range(3)}
    assert len(names) == 3 and len(list(mail_folder.glob("*ar-1*.eml"))) == 3


def test_nothing_is_left_when_the_message_was_taken_over(mail_folder):
    def lost():
        raise LookupError

    with pytest.raises(LookupError):
        transport.Folder(mail_folder).hand_over(written(), lost)
    assert list(mail_folder.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_an_outage(put, mail_folder):
    mail_folder.parent.mkdir(exist_ok=True)
    mail_folder.write_text("a file where the folder should be")
    put()
    assert deliver()["sent"] == 0
    assert only().state == "pending" and only().attempts == 0
