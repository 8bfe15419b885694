"""What a test commits is gone after it, what the migrations wrote is back, and the guards stand."""

import pytest
from django.contrib.auth.models import Group, Permission

from core import guards
from core.models import Company
from invoices.models import Entry
from tests import emptying
from tests.cast import make_client, make_company, make_invoice


def of_the_migrations():
    return [set(kind.objects.values_list()) for kind in (Permission, Group)]


@pytest.mark.django_db(transaction=True)
def test_a_book_is_given_back_as_the_migrations_left_it():
    as_made = of_the_migrations()
    assert as_made[0] and not Company.objects.exists()
    make_invoice(make_client(make_company()))
    Permission.objects.filter(codename__startswith="view").delete()
    Group.objects.create(name="Somebody")
    guards.remove(only="invoices_entry")
    assert Entry.objects.exists() and guards.missing()
    emptying.give_back()
    assert not Entry.objects.exists() and not Company.objects.exists() and not guards.missing()
    assert of_the_migrations() == as_made
