import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('invoices', '0008_work_waits_for_a_person_and_what_recurs'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='charge',
            options={'ordering': ['invoice', 'from_on', 'revision'], 'permissions': [('waive_charge', 'Can waive interest, fees and compensation')]},
        ),
        migrations.AddField(
            model_name='invoice',
            name='policy_name',
            field=models.SlugField(blank=True, help_text='By which it is reminded; empty: that of the client.', max_length=40, verbose_name='policy'),
        ),
        migrations.CreateModel(
            name='Extension',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('until_on', models.DateField(verbose_name='pay by')),
                ('interest', models.CharField(choices=[('runs', 'interest runs on as before'), ('pauses', 'no interest from the agreement to the new date'), ('moves', 'interest starts after the new date only')], default='runs', max_length=8, verbose_name='late interest')),
                ('reason', models.CharField(max_length=300, verbose_name='reason')),
                ('agreed_on', models.DateField()),
                ('agreed_by', models.CharField(max_length=150)),
                ('agreed_at', models.DateTimeField(auto_now_add=True)),
                ('withdrawn_on', models.DateField(null=True)),
                ('withdrawn_by', models.CharField(blank=True, max_length=150)),
                ('invoice', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='extensions', to='invoices.invoice')),
            ],
            options={
                'ordering': ['-until_on', '-id'],
            },
        ),
    ]
