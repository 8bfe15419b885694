from django.apps import apps as running
from django.contrib.auth.management import create_permissions
from django.db import migrations

from core.roles import MANAGER


def allow(apps, schema_editor):
    """Whoever manages receivables may give money back, also where the role was there before."""
    role = apps.get_model("auth", "Group").objects.filter(name=MANAGER).first()
    if role is None:
        return
    create_permissions(running.get_app_config("payments"), verbosity=0, using=schema_editor.connection.alias)
    permissions = apps.get_model("auth", "Permission").objects
    role.permissions.add(*permissions.filter(content_type__app_label="payments", codename="add_refund"))


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0004_getting_paid"), ("clients", "0005_roles"), ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]
    operations = [migrations.RunPython(allow, migrations.RunPython.noop)]
