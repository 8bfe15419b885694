import datetime as dt

from django.db import migrations

SHIPPED = {
    "starting_limit": {"CHF": "5000", "EUR": "5000", "GBP": "4000", "USD": "5000"},
    "flag_outcomes": {
        "insolvency": "decline", "court_record": "prepayment", "payment_default": "prepayment",
        "adverse_press": "stricter", "young_company": "stricter", "no_accounts": "stricter",
        "address_doubtful": "stricter",
    },
    "cash_only_sum": {"CHF": "25000", "EUR": "25000", "GBP": "20000", "USD": "25000"},
    "review_days": {"low": 365, "medium": 90, "high": 30},
    "highest_limit": {"CHF": "50000", "EUR": "50000", "GBP": "40000", "USD": "50000"},
}


def begin(apps, schema_editor):
    """A company that was here before credit policies were begins with the one as shipped."""
    Company, CreditPolicy = apps.get_model("core", "Company"), apps.get_model("policies", "CreditPolicy")
    have = CreditPolicy.objects.values("company")
    CreditPolicy.objects.bulk_create(
        CreditPolicy(company=company, effective_from=dt.date(2000, 1, 1), made_by="system", **SHIPPED)
        for company in Company.objects.exclude(pk__in=have)
    )


class Migration(migrations.Migration):
    dependencies = [("policies", "0002_credit"), ("core", "0002_credit")]
    operations = [migrations.RunPython(begin, migrations.RunPython.noop)]
