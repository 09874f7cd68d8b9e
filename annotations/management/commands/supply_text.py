"""supply_text SLUG FILE --user NAME --i-may-use-these-words: brings a questionnaire's words to a campaign."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from annotations.instruments.toml_table import InstrumentError
from annotations.questionnaires import ATTESTATION, TextRefused, supply_text
from collector.models import Campaign, User


class Command(BaseCommand):
    help = "Bring a questionnaire's words to one campaign: text.<language>.toml, which you may use."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("file", type=Path)
        parser.add_argument("--user", required=True, help="Who vouches for the right to use the words.")
        parser.add_argument("--i-may-use-these-words", action="store_true", help=f'States: "{ATTESTATION}"')

    def handle(
        self, *args: Any, slug: str, file: Path, user: str, i_may_use_these_words: bool, **options: Any
    ) -> None:
        campaign = Campaign.objects.filter(slug=slug).first()
        if campaign is None:
            raise CommandError(f"there is no campaign {slug!r}")
        owner = User.objects.filter(username=user).first()
        if owner is None:
            raise CommandError(f"there is no user {user!r}")
        try:
            text = supply_text(
                campaign,
                file.read_bytes(),
                attests=i_may_use_these_words,
                user=owner,
                now=timezone.now(),
            )
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error.strerror}") from error
        except (TextRefused, InstrumentError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{text.instrument} can be asked in {text.language} (sha256 {text.sha256})")
