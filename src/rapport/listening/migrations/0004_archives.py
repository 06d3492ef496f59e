from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("listening", "0003_kept")]

    operations = [
        migrations.AddField(
            model_name="import",
            name="archives",
            field=models.JSONField(default=list),
        ),
    ]
