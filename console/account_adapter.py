"""How allauth works here: who may make an account, and how the secrets of second factors are kept."""

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.http import HttpRequest

from annotations.models import Annotator, Recruitment
from annotations.platform_ids import seal, unseal
from collector.models import Campaign
from console.second_factor import is_staff

SECOND_FACTOR = "second factors"


class AccountAdapter(DefaultAccountAdapter):
    """Accounts are for annotators of campaigns that take them; staff are given theirs."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        open_campaigns = Recruitment.objects.filter(campaign__state=Campaign.State.OPEN)
        return any(Annotator.Source.ACCOUNT in rules.ways for rules in open_campaigns)


class MfaAdapter(DefaultMFAAdapter):
    """Second factors are sealed in the database; staff who need one cannot do without."""

    def encrypt(self, text: str) -> str:
        return seal(text, purpose=SECOND_FACTOR)

    def decrypt(self, encrypted_text: str) -> str:
        return unseal(encrypted_text, purpose=SECOND_FACTOR)

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        return not (settings.REQUIRE_STAFF_MFA and is_staff(authenticator.user))

    def get_totp_issuer(self) -> str:
        return "Empanel"
