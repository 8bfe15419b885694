from django.db import migrations


def begin_history(apps, schema_editor):
    """What stood on the client becomes the first row of the history of its limit."""
    Client, CreditLimit = apps.get_model("clients", "Client"), apps.get_model("clients", "CreditLimit")
    CreditLimit.objects.bulk_create(
        CreditLimit(
            client=client, currency=client.currency, amount=client.credit_limit, source="hand", set_by="system",
            effective_on=client.created_at.date(), because="as it stood on the client",
        )
        for client in Client.objects.exclude(credit_limit=None)
    )


class Migration(migrations.Migration):
    dependencies = [("clients", "0002_credit")]
    operations = [migrations.RunPython(begin_history, migrations.RunPython.noop)]
