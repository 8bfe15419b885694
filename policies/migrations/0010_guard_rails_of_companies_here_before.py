from django.db import migrations

from policies.guard_rails import shipped


def seed(apps, schema_editor):
    """An installation that was here before the guard-rails gets those shipped; a new one gets them with its company."""
    if not apps.get_model("core", "Company").objects.exists():
        return
    GuardRail = apps.get_model("policies", "GuardRail")
    known = set(GuardRail.objects.values_list("country", "code"))
    GuardRail.objects.bulk_create(
        GuardRail(**rail._asdict() | {"made_by": "system"})
        for rail in shipped()
        if (rail.country, rail.code) not in known
    )


class Migration(migrations.Migration):
    dependencies = [("policies", "0009_reminders_engine")]
    operations = [migrations.RunPython(seed, migrations.RunPython.noop)]
