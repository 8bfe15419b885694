from django.apps import apps as running
from django.contrib.auth.management import create_permissions
from django.db import migrations
from django.db.models import Q

from core.roles import MANAGER

NEW = {
    "invoices": ["waive_charge"],
    "policies": [
        "add_interestrule", "add_referencerate", "change_referencerate", "add_guardrail", "add_steptext", "add_segment",
        "change_segment",
    ],
}


def allow(apps, schema_editor):
    """Whoever manages receivables may waive charges, and write rules, rates, guard-rails, words and segments.

    Also where the role was there before; anybody else who waived charges until now needs the permission.
    """
    role = apps.get_model("auth", "Group").objects.filter(name=MANAGER).first()
    if role is None:
        return
    wanted = Q()
    for label, codenames in NEW.items():
        create_permissions(running.get_app_config(label), verbosity=0, using=schema_editor.connection.alias)
        wanted |= Q(content_type__app_label=label, codename__in=codenames)
    role.permissions.add(*apps.get_model("auth", "Permission").objects.filter(wanted))


class Migration(migrations.Migration):
    dependencies = [
        ("invoices", "0009_reminders_engine"), ("policies", "0009_reminders_engine"), ("clients", "0005_roles"),
        ("auth", "0012_alter_user_first_name_max_length"), ("contenttypes", "0002_remove_content_type_name"),
    ]
    operations = [migrations.RunPython(allow, migrations.RunPython.noop)]
