from django.db import migrations, models
from django.db.models import deletion

from core.guards import remove


def begin(apps, schema_editor):
    """The rows that are here may be told that their message came back; the guard is installed anew afterwards."""
    remove(schema_editor.connection.alias, apps.get_model('invoices', 'InterestNotice')._meta.db_table)


def carry(apps, schema_editor):
    """A notice whose message had come back already was never given."""
    InterestNotice, Message = apps.get_model('invoices', 'InterestNotice'), apps.get_model('outbox', 'Message')
    alias = schema_editor.connection.alias
    back = Message.objects.using(alias).filter(delivery='bounced').exclude(delivery_at=None)
    days = dict(back.values_list('key', 'delivery_at'))
    notices = InterestNotice.objects.using(alias).exclude(message_key='')
    for notice in notices.iterator():
        if notice.message_key in days:
            notices.filter(pk=notice.pk).update(came_back_on=days[notice.message_key].date())


class Migration(migrations.Migration):

    dependencies = [
        ('invoices', '0012_what_waits_for_a_person'),
        ('outbox', '0003_reminders_engine'),
    ]

    operations = [
        migrations.RunPython(begin, migrations.RunPython.noop),
        migrations.AddField(
            model_name='interestnotice',
            name='came_back_on',
            field=models.DateField(null=True),
        ),
        migrations.AlterField(
            model_name='interestnotice',
            name='invoice',
            field=models.ForeignKey(on_delete=deletion.PROTECT, related_name='interest_notices', to='invoices.invoice'),
        ),
        migrations.AddConstraint(
            model_name='interestnotice',
            constraint=models.UniqueConstraint(fields=('invoice', 'message_key'), name='notice_once_per_message'),
        ),
        migrations.RunPython(carry, migrations.RunPython.noop),
    ]
