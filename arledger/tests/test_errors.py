"""The pages shown where nothing else can be: a client reads them in a language of its own, and meets no staff door."""

from __future__ import annotations

import pytest
from django.test import Client, RequestFactory

from arledger.errors import broken

CASES = [
    ("/i/nonsense", "de-AT,de;q=0.9", "Diese Seite gibt es nicht", False),
    ("/p/nothing", "fr", "Cette page n’existe pas", False),
    ("/t/x/y/", "it", "This page does not exist", False),
    ("/nothing/", "de", "This page does not exist", True),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("address", "speaks", "says", "door"), CASES)
def test_a_page_that_is_not_there(address, speaks, says, door):
    answer = Client().get(address, headers={"accept-language": speaks}, follow=True)
    page = answer.content.decode()
    assert answer.status_code == 404
    assert says in page
    assert ('href="/"' in page) is door


@pytest.mark.parametrize(
    ("address", "says", "door"), [("/i/1/x/", "Bei uns ist etwas", False), ("/", "Something", True)]
)
def test_something_broke(address, says, door):
    page = broken(RequestFactory().get(address, headers={"accept-language": "de"})).content.decode()
    assert says in page
    assert ('href="/"' in page) is door
    assert ("administrator" in page) is door


@pytest.mark.django_db
def test_a_form_of_another_session():
    answer = Client(enforce_csrf_checks=True).post("/account/login/", {"username": "ada"})
    assert answer.status_code == 403
    assert "This form was open for too long" in answer.content.decode()
