from django.apps import apps as running
from django.contrib.auth.management import create_permissions
from django.db import migrations

from core.roles import CLERK, MANAGER

NEW = ["view_interestrule", "view_referencerate", "view_guardrail", "view_segment", "view_steptext"]


def allow(apps, schema_editor):
    """Clerks and managers read rules, rates, guard-rails, segments and words, also where the roles were there before."""
    create_permissions(running.get_app_config("policies"), verbosity=0, using=schema_editor.connection.alias)
    wanted = apps.get_model("auth", "Permission").objects.filter(
        content_type__app_label="policies", codename__in=NEW
    )
    for role in apps.get_model("auth", "Group").objects.filter(name__in=[CLERK, MANAGER]):
        role.permissions.add(*wanted)


class Migration(migrations.Migration):
    dependencies = [
        ("policies", "0010_guard_rails_of_companies_here_before"), ("clients", "0005_roles"),
        ("auth", "0012_alter_user_first_name_max_length"), ("contenttypes", "0002_remove_content_type_name"),
    ]
    operations = [migrations.RunPython(allow, migrations.RunPython.noop)]
