from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('people', '0002_authors'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='person',
            index=models.Index(fields=['changed_seq'], name='people_person_changed'),
        ),
    ]
