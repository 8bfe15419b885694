import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('core', '0003_getting_paid'),
        ('policies', '0008_a_limit_may_shrink_at_once'),
    ]

    operations = [
        migrations.AddField(
            model_name='policy',
            name='already_overdue',
            field=models.CharField(choices=[('activation', 'from the day the version begins'), ('due_date', 'from its due date'), ('chosen', 'from a chosen date')], default='activation', max_length=10, verbose_name='what is overdue when the version begins bears its interest'),
        ),
        migrations.AddField(
            model_name='policy',
            name='already_overdue_from',
            field=models.DateField(blank=True, null=True, verbose_name='the chosen date'),
        ),
        migrations.AddField(
            model_name='policy',
            name='bank_data_days',
            field=models.PositiveSmallIntegerField(blank=True, null=True, verbose_name='no reminder when bank data are older than, days'),
        ),
        migrations.AddField(
            model_name='policy',
            name='for_consumers',
            field=models.BooleanField(default=False, verbose_name='its clients are consumers'),
        ),
        migrations.AddField(
            model_name='policy',
            name='interest_dropped_under',
            field=models.JSONField(default=dict, verbose_name='interest below this sum is dropped when the invoice is paid, per currency'),
        ),
        migrations.AddField(
            model_name='policy',
            name='interest_posted',
            field=models.CharField(choices=[('month_end', 'at each month end, when paid and when claimed'), ('settled', 'when the invoice is paid, and when claimed'), ('claimed', 'only when a notice claims it'), ('noted', 'never; it is only noted')], default='month_end', max_length=10, verbose_name='interest is posted'),
        ),
        migrations.AddField(
            model_name='policy',
            name='jurisdictions',
            field=models.CharField(blank=True, help_text='Such as NO SE: their rules are kept.', max_length=120, verbose_name='its clients are in'),
        ),
        migrations.AddField(
            model_name='policy',
            name='minimum',
            field=models.JSONField(default=dict, verbose_name='smallest sum for a message, per currency'),
        ),
        migrations.AddField(
            model_name='policy',
            name='quiet_periods',
            field=models.JSONField(default=list, help_text='Every year, first and last day: 12-24 to 01-01.', verbose_name='quiet periods'),
        ),
        migrations.AddField(
            model_name='step',
            name='also_call',
            field=models.BooleanField(default=False, verbose_name='and a call on the same day'),
        ),
        migrations.AddField(
            model_name='step',
            name='attach_statement',
            field=models.BooleanField(default=False, verbose_name='attaches the statement of account'),
        ),
        migrations.AddField(
            model_name='step',
            name='cc_role',
            field=models.CharField(blank=True, max_length=20, verbose_name='copy to'),
        ),
        migrations.AddField(
            model_name='step',
            name='fee',
            field=models.JSONField(blank=True, default=dict, verbose_name='charges a fee of, per currency'),
        ),
        migrations.AddField(
            model_name='step',
            name='minimum',
            field=models.JSONField(blank=True, default=dict, verbose_name='only from an overdue sum of, per currency'),
        ),
        migrations.AddField(
            model_name='step',
            name='needs_approval',
            field=models.BooleanField(default=False, verbose_name="waits for a person's approval"),
        ),
        migrations.AddField(
            model_name='step',
            name='only_for',
            field=models.CharField(blank=True, choices=[('', 'every client'), ('slow', 'slow payers'), ('reliable', 'clients who usually pay on time'), ('first', 'the first time in twelve months'), ('again', 'late again within twelve months')], max_length=8, verbose_name='only for'),
        ),
        migrations.AddField(
            model_name='step',
            name='recipients',
            field=models.CharField(blank=True, help_text='E-mail addresses, commas between.', max_length=640, verbose_name='copy to these addresses too'),
        ),
        migrations.AddField(
            model_name='step',
            name='sets_cash_only',
            field=models.BooleanField(default=False, verbose_name='makes the client cash-only'),
        ),
        migrations.AlterField(
            model_name='policy',
            name='interest',
            field=models.CharField(default='CONTRACT', max_length=20, verbose_name='late interest, by the rule'),
        ),
        migrations.CreateModel(
            name='GuardRail',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('country', models.CharField(max_length=2, verbose_name='country')),
                ('code', models.SlugField(max_length=40, verbose_name='code')),
                ('kind', models.CharField(choices=[('fee_not_before', 'a fee not before so many days after the due date'), ('most_fees', 'at most so many fees per invoice'), ('highest_fee', 'a fee of at most, per currency'), ('notice_days', 'a notice gives at least so many days to pay'), ('first_is_free', 'the first reminder is free of charge'), ('notice_before_handover', 'a notice before the claim is handed over'), ('words', 'words that a notice must say'), ('contact_hours', 'hours in which one may call'), ('no_compensation', 'no fixed compensation'), ('highest_percent', 'late interest of at most, percent a year')], max_length=24, verbose_name='limits')),
                ('value', models.JSONField(blank=True, default=dict, verbose_name='value')),
                ('for_consumers', models.BooleanField(help_text='Unknown: for everybody.', null=True, verbose_name='holds for consumers')),
                ('name', models.CharField(max_length=120, verbose_name='name of the rule')),
                ('says', models.CharField(max_length=300, verbose_name='says')),
                ('source', models.CharField(max_length=300, verbose_name='source')),
                ('as_of', models.DateField(verbose_name='as of')),
                ('is_active', models.BooleanField(default=True, verbose_name='holds')),
                ('made_by', models.CharField(blank=True, editable=False, max_length=150)),
                ('made_at', models.DateTimeField(auto_now_add=True)),
            ],
            options={
                'ordering': ['country', 'code', '-id'],
                'constraints': [models.CheckConstraint(condition=models.Q(('source', ''), _negated=True), name='guard_rail_has_a_source')],
            },
        ),
        migrations.CreateModel(
            name='InterestRule',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.CharField(max_length=20, verbose_name='code')),
                ('effective_from', models.DateField(verbose_name='effective from')),
                ('title', models.CharField(max_length=120, verbose_name='title')),
                ('country', models.CharField(blank=True, max_length=2, verbose_name='country')),
                ('for_consumers', models.BooleanField(null=True, verbose_name='for consumers')),
                ('charges', models.BooleanField(default=True, verbose_name='charges interest')),
                ('percent', models.DecimalField(blank=True, decimal_places=4, help_text='Empty, and no reference rate: the percentage printed in the terms of the invoice.', max_digits=7, null=True, verbose_name='fixed rate, percent a year')),
                ('series', models.CharField(blank=True, max_length=40, verbose_name='reference rate')),
                ('margin', models.DecimalField(decimal_places=4, default=0, max_digits=7, verbose_name='added to it, percent')),
                ('which_half_year', models.CharField(choices=[('split', 'anew at each half-year'), ('fixed', 'of the day interest starts to run')], default='split', max_length=6, verbose_name='of which half-year')),
                ('reference_up_to', models.DecimalField(blank=True, decimal_places=2, max_digits=4, null=True, verbose_name='reference rounded up to the next')),
                ('compound_monthly', models.BooleanField(default=False, verbose_name='interest on interest, monthly')),
                ('day_count', models.CharField(choices=[('act/365', 'act/365'), ('act/360', 'act/360'), ('30/360', '30/360')], default='act/365', max_length=8, verbose_name='day count')),
                ('rounding', models.CharField(choices=[('once', 'once, at the end'), ('daily', 'the amount of a day first')], default='once', max_length=6, verbose_name='rounded')),
                ('starts', models.CharField(choices=[('due', 'on the day after the due date'), ('notice', 'on the day a notice names'), ('days', 'so many days after the due date')], default='due', max_length=10, verbose_name='starts')),
                ('starts_days', models.PositiveSmallIntegerField(default=0, verbose_name='days after the due date')),
                ('grace_days', models.PositiveSmallIntegerField(default=0, verbose_name='nothing is charged when paid within, days late')),
                ('cap_percent', models.DecimalField(blank=True, decimal_places=4, max_digits=7, null=True, verbose_name='never more than, percent of the claim')),
                ('legal_maximum', models.DecimalField(blank=True, decimal_places=4, max_digits=7, null=True, verbose_name='legal maximum, percent a year')),
                ('first', models.CharField(choices=[('principal', 'the invoice'), ('interest', 'the interest')], default='principal', max_length=10, verbose_name='a payment goes first to')),
                ('runs_in_dispute', models.BooleanField(default=True, verbose_name='runs on while an amount is disputed')),
                ('compensation', models.JSONField(blank=True, default=list, verbose_name='fixed compensation')),
                ('compensation_currency', models.CharField(blank=True, max_length=3)),
                ('source', models.CharField(max_length=300, verbose_name='source')),
                ('made_by', models.CharField(blank=True, editable=False, max_length=150)),
                ('made_at', models.DateTimeField(auto_now_add=True)),
            ],
            options={
                'ordering': ['code', '-effective_from'],
                'constraints': [models.UniqueConstraint(fields=('code', 'effective_from'), name='interest_rule_version_once')],
            },
        ),
        migrations.CreateModel(
            name='ReferenceRate',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('series', models.CharField(max_length=40, verbose_name='reference rate')),
                ('from_on', models.DateField(verbose_name='from')),
                ('valid_through', models.DateField(verbose_name='valid through')),
                ('percent', models.DecimalField(decimal_places=4, max_digits=7, verbose_name='percent a year')),
                ('source', models.CharField(max_length=300, verbose_name='source')),
                ('entered_by', models.CharField(editable=False, max_length=150)),
                ('entered_at', models.DateTimeField(auto_now_add=True)),
                ('checked_by', models.CharField(blank=True, max_length=150, verbose_name='checked by')),
                ('withdrawn_at', models.DateTimeField(editable=False, null=True)),
                ('withdrawn_by', models.CharField(blank=True, editable=False, max_length=150)),
                ('withdrawn_because', models.CharField(blank=True, editable=False, max_length=300)),
            ],
            options={
                'ordering': ['series', '-from_on'],
                'constraints': [models.CheckConstraint(condition=models.Q(('valid_through__gte', models.F('from_on'))), name='rate_ends_after_it_begins'), models.CheckConstraint(condition=models.Q(('source', ''), _negated=True), name='rate_has_a_source'), models.UniqueConstraint(condition=models.Q(('withdrawn_at', None)), fields=('series', 'from_on'), name='rate_once_per_day')],
            },
        ),
        migrations.CreateModel(
            name='StepText',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('policy_name', models.SlugField(max_length=40, verbose_name='policy')),
                ('step', models.SlugField(blank=True, max_length=30, verbose_name='step')),
                ('tone', models.CharField(choices=[('neutral', 'neutral'), ('courteous', 'courteous'), ('friendly', 'friendly'), ('plain', 'plain'), ('helpful', 'helpful'), ('firm', 'firm'), ('formal', 'formal')], max_length=12, verbose_name='tone')),
                ('language', models.CharField(max_length=2, verbose_name='language')),
                ('subject', models.CharField(blank=True, max_length=200, verbose_name='subject')),
                ('text', models.TextField(blank=True, verbose_name='text')),
                ('made_by', models.CharField(editable=False, max_length=150)),
                ('made_at', models.DateTimeField(auto_now_add=True)),
            ],
            options={
                'ordering': ['-id'],
                'indexes': [models.Index(fields=['policy_name', 'tone', 'language'], name='step_text_of')],
            },
        ),
        migrations.CreateModel(
            name='PolicyDraft',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.SlugField(max_length=40, verbose_name='policy')),
                ('values', models.JSONField(default=dict)),
                ('steps', models.JSONField(default=list)),
                ('made_by', models.CharField(max_length=150)),
                ('made_at', models.DateTimeField(auto_now_add=True)),
                ('changed_at', models.DateTimeField(auto_now=True)),
                ('version', models.PositiveIntegerField(default=1, editable=False)),
                ('activated', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='draft', to='policies.policy')),
            ],
            options={
                'ordering': ['-changed_at'],
                'constraints': [models.UniqueConstraint(condition=models.Q(('activated', None)), fields=('name',), name='one_draft_per_policy')],
            },
        ),
        migrations.CreateModel(
            name='Segment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=60, verbose_name='name')),
                ('policy_name', models.SlugField(blank=True, help_text="Empty: the company's.", max_length=40, verbose_name='policy')),
                ('company', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='segments', to='core.company')),
            ],
            options={
                'ordering': ['company', 'name'],
                'constraints': [models.UniqueConstraint(fields=('company', 'name'), name='segment_named_once')],
            },
        ),
    ]
