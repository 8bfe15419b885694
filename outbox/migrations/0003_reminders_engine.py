from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('outbox', '0002_composed_and_outages'),
    ]

    operations = [
        migrations.AddField(
            model_name='message',
            name='delivery',
            field=models.CharField(blank=True, choices=[('delivered', 'delivered'), ('deferred', 'delayed'), ('bounced', 'came back'), ('complained', 'marked as unwanted')], max_length=12),
        ),
        migrations.AddField(
            model_name='message',
            name='delivery_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='message',
            name='delivery_said',
            field=models.TextField(blank=True),
        ),
        migrations.AddField(
            model_name='message',
            name='provider_id',
            field=models.CharField(blank=True, db_index=True, max_length=200),
        ),
    ]
