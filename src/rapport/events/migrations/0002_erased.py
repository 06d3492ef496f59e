from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('events', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='Erased',
            fields=[
                ('hash', models.CharField(max_length=64, primary_key=True, serialize=False)),
                ('erased_at', models.DateTimeField()),
                ('returned_at', models.DateTimeField(null=True)),
            ],
        ),
    ]
