from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('people', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='AuthorTerms',
            fields=[
                ('id', models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False)),
                ('days', models.IntegerField()),
                ('changed_at', models.DateTimeField(null=True)),
                ('changed_by', models.CharField(default='', max_length=255)),
                ('carried_out_at', models.DateTimeField(null=True)),
                ('n_forgotten', models.BigIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name='AuthorObjection',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('identifier', models.CharField(max_length=288, unique=True)),
                ('at', models.DateTimeField(db_column='objected_at')),
            ],
        ),
    ]
