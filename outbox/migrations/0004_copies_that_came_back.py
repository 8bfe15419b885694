from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('outbox', '0003_reminders_engine'),
    ]

    operations = [
        migrations.AddField(
            model_name='message',
            name='copies_back',
            field=models.CharField(blank=True, db_default='', default='', max_length=640),
        ),
    ]
