"""The two roles an installation begins with, and what each may."""

import pytest
from django.contrib.auth.models import Group, User

from core.permissions import may
from core.roles import CLERK, MANAGER, ROLES, give_role, make_roles
from policies.founding import begin_company

pytestmark = pytest.mark.django_db
OF_CREDIT = [
    "clients.override_decision", "clients.set_limit", "clients.set_status", "clients.grant_override",
    "clients.invoice_delivered",
]  # fmt: skip


def member(role):
    user = User.objects.create_user(role.split()[-1])
    give_role(user, role)
    return User.objects.get(pk=user.pk)


def test_a_manager_may_all_that_credit_asks_for_and_a_clerk_none_of_it():
    clerk, manager = member(CLERK), member(MANAGER)
    assert [may(manager, permission) for permission in OF_CREDIT] == [True] * 5
    assert [may(clerk, permission) for permission in OF_CREDIT] == [False] * 5


@pytest.mark.parametrize("name", ROLES)
def test_every_permission_a_role_names_exists(name):
    user = member(name)
    assert user.get_group_permissions() == set(ROLES[name])


def test_the_first_company_brings_the_roles():
    begin_company("lo", "EUR", "test")
    assert set(Group.objects.values_list("name", flat=True)) == {CLERK, MANAGER}


def test_what_somebody_took_from_a_role_stays_taken():
    make_roles()
    role = Group.objects.get(name=MANAGER)
    role.permissions.remove(role.permissions.get(codename="grant_override"))
    make_roles()
    assert not role.permissions.filter(codename="grant_override").exists()
    assert Group.objects.count() == 2
