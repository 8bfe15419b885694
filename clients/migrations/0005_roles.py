from django.apps import apps as running
from django.contrib.auth.management import create_permissions
from django.db import migrations

from core.roles import make_roles


def begin(apps, schema_editor):
    """An installation that was here before there were roles gets them; a new one, with its first company."""
    if not apps.get_model("core", "Company").objects.exists():
        return
    for label in ("policies", "clients", "audit"):
        create_permissions(running.get_app_config(label), verbosity=0, using=schema_editor.connection.alias)
    make_roles(apps.get_model("auth", "Group"), apps.get_model("auth", "Permission"))


class Migration(migrations.Migration):
    dependencies = [
        ("clients", "0004_client_without_limit"), ("policies", "0003_companies_have_a_credit_policy"),
        ("core", "0002_credit"), ("audit", "0001_initial"), ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]
    operations = [migrations.RunPython(begin, migrations.RunPython.noop)]
