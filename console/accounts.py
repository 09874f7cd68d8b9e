"""The manager's account: made on the first start, its password reset on demand."""

import secrets

from allauth.mfa.models import Authenticator
from axes.utils import reset as forget_failed_attempts

from collector.models import User

MANAGER = "manager"


def has_accounts() -> bool:
    return User.objects.exists()


def make_manager() -> str:
    """Make the manager's account with every right; returns its password, which is stored only as a hash."""
    return _set_random_password(User(username=MANAGER, is_staff=True, is_superuser=True))


def reset_manager(username: str = MANAGER) -> str:
    """Give the account a new password, which ends its sessions; end its lock-outs and its second step."""
    user = User.objects.get(username=username)
    password = _set_random_password(user)
    Authenticator.objects.filter(user=user).delete()
    forget_failed_attempts(username=username)
    return password


def _set_random_password(user: User) -> str:
    password = secrets.token_urlsafe(12)
    user.set_password(password)
    user.is_active = True
    user.save()
    return password
