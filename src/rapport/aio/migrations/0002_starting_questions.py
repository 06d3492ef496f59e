from django.db import migrations


def write_starting_questions(apps, schema_editor):
    """The promises and questions of a new installation; one that has some keeps its own."""
    from rapport.aio.rules import starting
    from rapport.kit import clock

    question = apps.get_model("aio", "Question")
    for asked in starting():
        question.objects.get_or_create(
            key=asked.key,
            defaults={
                "title": asked.title,
                "is_promise": asked.is_promise,
                "words": dict(asked.words),
                "changed_at": clock.now(),
            },
        )


class Migration(migrations.Migration):

    dependencies = [("aio", "0001_initial")]

    operations = [migrations.RunPython(write_starting_questions, migrations.RunPython.noop)]
