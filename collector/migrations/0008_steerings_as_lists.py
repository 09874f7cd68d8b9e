from django.db import migrations

BATCH = 500


def make_lists(apps, schema_editor):
    """A generator's one steering becomes a list of one; none becomes an empty list."""
    _change(apps, lambda value: [value] if value else [], dict)


def make_objects(apps, schema_editor):
    _change(apps, lambda value: value[0] if value else {}, list)


def _change(apps, change, kind):
    Generator = apps.get_model("collector", "Generator")
    generators = Generator.objects.order_by("pk").iterator(chunk_size=BATCH)
    changed = []
    for generator in generators:
        if isinstance(generator.steerings, kind):
            generator.steerings = change(generator.steerings)
            changed.append(generator)
    Generator.objects.bulk_update(changed, ["steerings"], batch_size=BATCH)


class Migration(migrations.Migration):
    dependencies = [
        ("collector", "0007_steerings"),
    ]

    operations = [
        migrations.RunPython(make_lists, make_objects, elidable=True),
    ]
