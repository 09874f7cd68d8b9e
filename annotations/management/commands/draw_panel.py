"""draw_panel SLUG POOL.csv --size N: draws a panel by lot, and writes its members' invitations to a file."""

import argparse
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.urls import reverse

from annotations.panels import AlreadyDrawn, Member, draw_for, read_pool, read_quotas, write_panel
from annotations.sortition import QuotasClash
from collector.models import Campaign
from collector.tabular import IntakeError


class Command(BaseCommand):
    help = (
        "Draw a panel from a file of volunteers, so that quotas hold and chances are as equal as they allow."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("pool", type=Path, help="CSV, JSONL or Parquet: volunteer_id, and attributes")
        parser.add_argument("--size", type=int, required=True, help="how many sit on the panel")
        parser.add_argument("--quotas", type=Path, help="a file: attribute, level, minimum, maximum")
        parser.add_argument(
            "--proportional", nargs="*", default=[], help="attributes to have as they are in the pool"
        )
        parser.add_argument("--out", type=Path, required=True, help="the CSV file of codes to write")
        parser.add_argument("--site", default="http://127.0.0.1:8000", help="the site's address, for links")

    def handle(self, *args: Any, slug: str, out: Path, site: str, **options: Any) -> None:
        campaign = Campaign.objects.filter(slug=slug).first()
        if campaign is None:
            raise CommandError(f"there is no campaign {slug!r}")
        if out.exists():
            raise CommandError(f"{out} is there already")
        try:
            members = self._draw(campaign, options)
        except IntakeError as error:
            raise CommandError("\n".join(str(problem) for problem in error.problems)) from error
        except QuotasClash as error:
            lines = (
                f"{quota.attribute} {quota.level}: {quota.minimum} to {quota.maximum}"
                for quota in error.relaxed
            )
            raise CommandError("\n".join(["No panel meets the quotas; it would with", *lines])) from error
        except AlreadyDrawn as error:
            raise CommandError(f"{slug} has a panel, and somebody came by its invitation") from error
        except ValueError as error:
            raise CommandError(str(error)) from error
        address = site.rstrip("/") + reverse("annotations:join", args=[slug])
        out.touch(mode=0o600)
        with out.open("w", encoding="utf-8", newline="") as file:
            write_panel(members, address, file)
        chances = [member.selection_probability for member in members]
        self.stdout.write(
            f"{len(members)} drawn, with chances from {min(chances):.4f} to {max(chances):.4f}; "
            f"their codes are in {out}, and nothing else holds them"
        )

    def _draw(self, campaign: Campaign, options: dict[str, Any]) -> list[Member]:
        pool = read_pool(options["pool"])
        quotas = read_quotas(options["quotas"]) if options["quotas"] else []
        proportional, name = options["proportional"], options["pool"].name
        return draw_for(campaign, pool, options["size"], quotas=quotas, proportional=proportional, name=name)
