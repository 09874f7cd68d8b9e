"""The rating form as versions: what was asked stays readable after the criteria change."""

import hashlib
import json
from typing import Any

from django.db import transaction
from django.db.models import Max

from collector.models import Campaign, Criterion, FormVersion

ASKED = (
    "name",
    "question",
    "kind",
    "scale_min",
    "scale_max",
    "label_min",
    "label_max",
    "categories",
    "ordered",
    "higher_is_better",
    "required",
    "translations",
)


def current_form(campaign: Campaign) -> FormVersion:
    """The version equal to the criteria as they are now, made if there is none."""
    criteria = [_asked(criterion) for criterion in campaign.criteria.all()]
    sha256 = hashlib.sha256(json.dumps(criteria, sort_keys=True).encode()).hexdigest()
    if known := campaign.form_versions.filter(sha256=sha256).first():
        return known
    with transaction.atomic():
        Campaign.objects.select_for_update().get(pk=campaign.pk)
        number = campaign.form_versions.aggregate(last=Max("number"))["last"] or 0
        version, _ = FormVersion.objects.get_or_create(
            campaign=campaign, sha256=sha256, defaults={"number": number + 1, "criteria": criteria}
        )
    return version


def _asked(criterion: Criterion) -> dict[str, Any]:
    return {field: getattr(criterion, field) for field in ASKED}
