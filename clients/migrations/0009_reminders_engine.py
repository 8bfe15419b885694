import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('clients', '0008_addresses'),
        ('policies', '0009_reminders_engine'),
    ]

    operations = [
        migrations.AddField(
            model_name='client',
            name='policy_name',
            field=models.SlugField(blank=True, help_text='Empty: that of the segment or the company.', max_length=40, verbose_name='policy'),
        ),
        migrations.AddField(
            model_name='client',
            name='segment',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='clients', to='policies.segment', verbose_name='segment'),
        ),
        migrations.AddField(
            model_name='contact',
            name='bounced_because',
            field=models.CharField(blank=True, max_length=300, verbose_name='why mail came back'),
        ),
    ]
