"""`make_invitations`: codes that each let one person in, as a CSV file; or takes codes made elsewhere."""

import argparse
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.urls import reverse

from annotations.invitations import MOST, BadCodes, make_invitations, take_invitations, write_invitations
from collector.models import Campaign


class Command(BaseCommand):
    help = (
        "Make invitation codes for a campaign and write them to a CSV file, the only place that holds them."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("slug")
        parser.add_argument(
            "count", type=int, nargs="?", default=0, help="so many codes for nobody in particular"
        )
        parser.add_argument("--references", type=Path, help="a text file: a code for each line, named by it")
        parser.add_argument("--out", type=Path, help="the CSV file to write: code, link, reference")
        parser.add_argument(
            "--site", default="http://127.0.0.1:8000", help="the site's address, for the links"
        )
        parser.add_argument("--take", type=Path, help="a CSV file of codes made elsewhere: code, reference")

    def handle(self, *args: Any, **options: Any) -> None:
        campaign = Campaign.objects.filter(slug=options["slug"]).first()
        if campaign is None:
            raise CommandError(f"there is no campaign {options['slug']}")
        if options["take"]:
            self._take(campaign, options["take"])
        else:
            self._make(campaign, options)

    def _take(self, campaign: Campaign, path: Path) -> None:
        try:
            with path.open(encoding="utf-8-sig", newline="") as file:
                taken = take_invitations(campaign, file)
        except BadCodes as error:
            raise CommandError("\n".join(error.problems)) from error
        self.stdout.write(f"{taken} codes were added to {campaign.slug}.")

    def _make(self, campaign: Campaign, options: dict[str, Any]) -> None:
        out, named = options["out"], options["references"]
        references = (
            [line for line in named.read_text(encoding="utf-8").splitlines() if line.strip()] if named else []
        )
        references += [""] * options["count"]
        if not out or out.exists() or not 1 <= len(references) <= MOST:
            raise CommandError(
                f"give from 1 to {MOST} people or codes, and with --out a file that does not exist"
            )
        address = options["site"].rstrip("/") + reverse("annotations:join", args=[campaign.slug])
        made = make_invitations(campaign, references)
        out.touch(mode=0o600)
        with out.open("w", encoding="utf-8", newline="") as file:
            write_invitations(made, address, file)
        self.stdout.write(f"{len(made)} codes are in {out}. Nothing else holds them.")
