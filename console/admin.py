"""What allauth would show in the admin is taken out again: second factors are nobody's to look at."""

# Both register their models when they are read, which has to be before.
import allauth.account.admin
import allauth.mfa.admin  # noqa: F401
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib import admin

admin.site.unregister([EmailAddress, Authenticator])
