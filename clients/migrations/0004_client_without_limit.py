from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("clients", "0003_limits_have_a_history")]
    operations = [migrations.RemoveField("client", "credit_limit")]
