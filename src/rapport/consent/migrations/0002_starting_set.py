from django.db import migrations


def write_starting_set(apps, schema_editor):
    """The purposes and topics of a new installation; an installation that has some keeps its own."""
    from rapport.consent.rules import PURPOSES, TOPICS

    purpose = apps.get_model("consent", "Purpose")
    for position, p in enumerate(PURPOSES):
        purpose.objects.get_or_create(
            key=p.key,
            defaults={
                "name": p.name,
                "meaning": p.meaning,
                "legal_basis": p.legal_basis,
                "channels": list(p.channels),
                "expires_days": p.expires_days,
                "position": position,
            },
        )
    topic = apps.get_model("consent", "Topic")
    for position, (key, name, meaning) in enumerate(TOPICS):
        topic.objects.get_or_create(
            key=key, defaults={"name": name, "meaning": meaning, "position": position}
        )


class Migration(migrations.Migration):

    dependencies = [("consent", "0001_initial")]

    operations = [migrations.RunPython(write_starting_set, migrations.RunPython.noop)]
