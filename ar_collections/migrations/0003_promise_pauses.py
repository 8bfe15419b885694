from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("collections", "0002_credit")]
    operations = [migrations.AddField(model_name="promise", name="pauses", field=models.BooleanField(default=True))]
