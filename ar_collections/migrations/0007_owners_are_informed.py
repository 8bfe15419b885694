from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('collections', '0006_clients_others_collect_from'),
    ]

    operations = [
        migrations.AlterField(
            model_name='task',
            name='kind',
            field=models.CharField(choices=[('call', 'call'), ('matching', 'find a payment'), ('plan_request', 'asks for a plan'), ('answer', 'answer'), ('letter', 'post a letter'), ('review', 'decide what to do'), ('promise_broken', 'promise broken'), ('contact', 'find a contact'), ('delivery', 'message not delivered'), ('inform', 'for your information')], max_length=16),
        ),
    ]
