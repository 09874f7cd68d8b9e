from django.db import migrations


def keep_ways(apps, schema_editor):
    """Campaigns from before went by unverified platform ids: they go on as they began."""
    Campaign = apps.get_model("collector", "Campaign")
    Recruitment = apps.get_model("annotations", "Recruitment")
    Recruitment.objects.bulk_create(
        Recruitment(campaign=campaign, allow_unverified=True)
        for campaign in Campaign.objects.filter(recruitment=None)
    )


class Migration(migrations.Migration):
    dependencies = [("annotations", "0003_recruitment_and_pay")]
    operations = [migrations.RunPython(keep_ways, migrations.RunPython.noop)]
