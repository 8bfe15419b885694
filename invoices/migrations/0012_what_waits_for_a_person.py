from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('clients', '0009_reminders_engine'),
        ('core', '0003_getting_paid'),
        ('invoices', '0011_invoices_with_their_own_policy'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='completedwork',
            index=models.Index(condition=models.Q(('invoice', None), ('removed_at', None), models.Q(('held_from', None), ('refused_because', ''), _negated=True)), fields=['company'], name='work_stuck'),
        ),
        migrations.AddIndex(
            model_name='recurringrun',
            index=models.Index(condition=models.Q(models.Q(('refused_because', ''), _negated=True), ('skipped_by', '')), fields=['recurring'], name='run_stuck'),
        ),
    ]
