from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("collector", "0006_generation_queues_and_shares"),
    ]

    operations = [
        migrations.RenameField("generator", "steering", "steerings"),
        migrations.AlterField("generator", "steerings", models.JSONField(blank=True, default=list)),
        migrations.AddField(
            "candidate",
            "follows_earlier",
            models.BooleanField(default=False, editable=False),
        ),
        migrations.RemoveConstraint("candidate", "candidate_planned_once"),
        migrations.AddConstraint(
            "candidate",
            models.UniqueConstraint(
                fields=("prompt", "generator", "steering", "sample_index"),
                name="candidate_planned_once",
            ),
        ),
    ]
