from django.db import migrations

from policies.occasions import SEEDS


def begin(apps, schema_editor):
    """A company that was here before occasions were begins with those as shipped; who is greeted is for people to say."""
    Company, Occasion = apps.get_model("core", "Company"), apps.get_model("policies", "Occasion")
    have = set(Occasion.objects.values_list("company_id", "code"))
    Occasion.objects.bulk_create(
        Occasion(company=company, code=seed.code, **seed.fields())
        for company in Company.objects.all()
        for seed in SEEDS
        if (company.pk, seed.code) not in have
    )


class Migration(migrations.Migration):
    dependencies = [("policies", "0003_companies_have_a_credit_policy")]
    operations = [migrations.RunPython(begin, migrations.RunPython.noop)]
