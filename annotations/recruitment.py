"""A campaign's recruitment settings, and where people may be sent back to when they are done."""

from urllib.parse import quote, urlsplit

from django.conf import settings

from annotations.models import Annotator, Recruitment
from collector.models import Campaign

PROLIFIC_RETURN = "https://app.prolific.com/submissions/complete?cc={code}"


def recruitment_of(campaign: Campaign) -> Recruitment:
    """The campaign's settings; where nobody chose any, the usual ones, which are not stored."""
    return Recruitment.objects.filter(campaign=campaign).first() or Recruitment(campaign=campaign)


def return_address(annotator: Annotator, rules: Recruitment, code: str) -> str:
    """The platform's address for a code; empty where there is none, or where none may be linked to."""
    template = rules.return_url
    if not template and annotator.source == Annotator.Source.PROLIFIC:
        template = PROLIFIC_RETURN
    return template.replace("{code}", quote(code, safe="")) if is_return_allowed(template) else ""


def is_return_allowed(template: str) -> bool:
    """Whether the address is a plain https one on a host that the operator allows people to be sent to."""
    if not template.isascii() or not template.isprintable() or "\\" in template or " " in template:
        return False
    try:
        address = urlsplit(template)
    except ValueError:
        return False
    return address.scheme == "https" and address.netloc in settings.RETURN_HOSTS
