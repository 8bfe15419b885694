"""By a provider's API: one request per letter, with our key in it; every answer has its row of the state table."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from outbox import returns
from outbox.esps import anymail_settings
from outbox.hearing import hear_delivery
from outbox.kinds import Composed
from outbox.models import Message, Outage

from .conftest import NOW, deliver, only

pytestmark = pytest.mark.django_db


class Api:
    """Postmark on a loopback port: keeps what it was asked, and answers as it is told."""

    def __init__(self):
        self.asked, self.answer = [], None
        api = self

        class Handler(BaseHTTPRequestHandler):
            def do_HEAD(self):
                self.send_response(404)
                self.end_headers()

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                api.asked.append((self.path, self.headers["X-Postmark-Server-Token"], body))
                status, said = api.answer or (
                    200,
                    {"ErrorCode": 0, "Message": "OK", "MessageID": f"pm-{len(api.asked)}", "To": body["To"]},
                )
                if status is None:
                    self.connection.close()
                    return
                told = json.dumps(said).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(told)))
                self.end_headers()
                self.wfile.write(told)

            def log_message(self, *said):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def api(settings):
    server = Api()
    settings.MAIL_TRANSPORT, settings.MAIL_PROVIDER = "provider", "postmark"
    settings.MAIL_FROM, settings.MAIL_DOMAIN = "ar@us.test", "us.test"
    settings.ANYMAIL = anymail_settings("postmark", {"SERVER_TOKEN": "token", "API_URL": server.url}, "")
    yield server
    server.close()


@pytest.fixture
def told(monkeypatch):
    monkeypatch.setattr(returns, "_listeners", {})
    found = []
    returns.register("test", lambda message, what: found.append(what.address))
    return found


def test_a_letter_leaves_with_our_key_and_comes_back_with_theirs(api, put, note, heard):
    note(compose=lambda m, now: Composed(
        'Acme, "Inc"', "ada@firm.test", "Grüße", "Text ü", "<p>Html</p>", cc_addr="bob@firm.test",
        attachments=[('in/voice".pdf', "application/pdf", b"%PDF")], from_name="Lumen & Oak", reply_to="ar@firm.test",
        ), after=lambda message, state: heard.append(state))  # fmt: skip
    put()
    assert deliver()["sent"] == 1
    message = only()
    assert (message.state, message.provider_id, heard) == ("sent", "pm-1", ["sent"])
    assert "Postmark" in message.reply and message.subject == "Grüße"
    [(path, token, body)] = api.asked
    assert (path, token, body["Metadata"]) == ("/email", "token", {"outbox": "note:1"})
    assert body["To"] == '"Acme, \\"Inc\\"" <ada@firm.test>' and body["Cc"] == "bob@firm.test"
    assert body["From"] == "Lumen & Oak <ar@us.test>" and body["ReplyTo"] == "Lumen & Oak <ar@firm.test>"
    assert {h["Name"]: h["Value"] for h in body["Headers"]} == {
        "Message-ID": message.message_id, "Auto-Submitted": "auto-generated",
    }  # fmt: skip
    assert [a["Name"] for a in body["Attachments"]] == ["in_voice_.pdf"]
    assert hear_delivery("delivered", at=NOW, now=NOW, provider_id="pm-1") == message


def test_it_is_frozen_before_the_request_leaves(api, put, monkeypatch):
    seen = []
    put()
    real = Message.objects.filter

    def answered():
        seen.append(real(key="note:1").values_list("state", "subject").get())

    from outbox import delivery

    moved = delivery.move
    monkeypatch.setattr(delivery, "move", lambda m, state, **c: (
        api.asked and seen.append("too late") if state == "handing" else None, moved(m, state, **c),
        answered() if state == "handing" else None,
    )[1])  # fmt: skip
    deliver()
    assert seen == [("handing", "Hello")] and len(api.asked) == 1


@pytest.mark.parametrize(
    ("status", "state", "outage"),
    [(400, "failed", False), (413, "failed", False), (429, "pending", False), (401, "pending", True),
     (403, "pending", True), (500, "unknown", False), (503, "unknown", False), (None, "unknown", False)],
)  # fmt: skip
def test_every_answer_has_its_meaning(api, put, told, status, state, outage):
    api.answer = (status, {"ErrorCode": 10, "Message": "no"})
    put()
    deliver()
    assert only().state == state and Outage.objects.exists() is outage
    assert len(api.asked) == 1, "a request is never repeated by itself"
    assert told == []


def test_an_address_the_provider_will_not_write_to_came_back(api, put, told):
    api.answer = (422, {"ErrorCode": 406, "Message": "You tried to send to recipients that have all been marked as "
                        "inactive. Found inactive addresses: ada@firm.test. Inactive recipients are ones that have "
                        "generated a hard bounce or a spam complaint."})  # fmt: skip
    put()
    deliver()
    assert (only().state, only().delivery, told) == ("failed", "bounced", ["ada@firm.test"])


def test_a_refusal_in_words_nobody_knows_is_still_a_refusal(api, put, told):
    api.answer = (422, {"ErrorCode": 406, "Message": "in other words"})
    put()
    deliver()
    assert (only().state, told) == ("failed", []) and "in other words" in only().reply


def test_where_only_the_addressee_is_refused_the_copy_is_sent_and_the_address_marked(api, put, note, told):
    note(compose=lambda m, now: Composed("Ada", "ada@firm.test", "Hello", "Hello", cc_addr="bob@firm.test"))
    api.answer = (200, {"ErrorCode": 0, "MessageID": "pm-1", "Message": "Message OK, but will not deliver to these "
                        "inactive addresses: ada@firm.test. Inactive recipients are ones that have generated a hard "
                        "bounce or a spam complaint.", "To": "ada@firm.test"})  # fmt: skip
    put()
    assert deliver()["sent"] == 1
    assert (only().delivery, told) == ("bounced", ["ada@firm.test"])


def test_a_provider_that_cannot_be_reached_costs_no_message_an_attempt(api, put):
    put()
    api.close()
    deliver()
    assert (only().state, only().attempts, len(api.asked)) == ("pending", 0, 0)
    assert "Postmark cannot be reached" in Outage.objects.get().said


def test_what_is_out_of_date_at_the_last_moment_is_not_asked_for(api, put, note):
    note(still=lambda message, now: "paid meanwhile")
    put()
    assert deliver()["put_back"] == 1
    assert api.asked == [] and only().reason == "paid meanwhile"


def test_one_drain_asks_letter_by_letter(api, put):
    for n in range(3):
        put(f"note:{n}")
    assert deliver()["sent"] == 3
    assert [body["Metadata"]["outbox"] for _p, _t, body in api.asked] == ["note:0", "note:1", "note:2"]
    assert len(set(Message.objects.values_list("provider_id", flat=True))) == 3
