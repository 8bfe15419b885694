import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("policies", "0005_invoice_within_days")]
    operations = [
        migrations.AddField(
            model_name="policy",
            name="promise_least_percent",
            field=models.PositiveSmallIntegerField(
                default=50, validators=[django.core.validators.MaxValueValidator(100)],
                verbose_name="smallest promise by a client that pauses reminders, percent of what is open",
            ),
        ),
    ]
