from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('people', '0003_person_changed'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='score',
            index=models.Index(fields=['name', 'value', 'person'], name='people_score_value'),
        ),
    ]
