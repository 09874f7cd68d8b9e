"""Cutting, checking and publishing releases: frozen, numbered, rebuilt byte for byte."""

import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files import File
from django.core.files.storage import FileSystemStorage, storages
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from annotations.models import Annotator
from collector.models import Campaign, User
from exports.building import build_release
from exports.folder import MANIFEST
from exports.manifest import describe_file, list_files
from exports.models import Release, ReleaseFile
from exports.privacy_gate import why_unmet
from exports.verification import verify_release

VERSION = re.compile(r"\A[A-Za-z0-9][A-Za-z0-9._-]{0,31}\Z")

__all__ = ["cut_release", "publish_release", "release_folder", "verify_release"]


class InvalidVersion(ValueError):
    """The version cannot name a folder."""


class ReleaseChanged(Exception):
    """The version was cut before and would not come out the same; the message says why."""


class NotPublishable(Exception):
    """The release may not be published; the message says why."""


def cut_release(
    campaign: Campaign,
    version: str,
    *,
    user: User | None = None,
    include_simulated: bool = True,
    now: datetime | None = None,
) -> Release:
    """Freeze the campaign as it is now; the files are complete before anyone can see the release.

    A version that exists is built again from its own cutoff, keys and seed: the same bytes give the same
    release, other bytes raise ReleaseChanged. A crash leaves nothing half: the next cut starts over.
    """
    if not VERSION.match(version) or ".." in version:
        raise InvalidVersion(
            _('"%(version)s" is no version: up to 32 letters, digits, . - and _') % {"version": version}
        )
    release = _claim(campaign, version, user, include_simulated, now or timezone.now())
    release = Release.objects.select_related("campaign").get(pk=release.pk)  # as stored, not as in memory
    is_new = release.state == Release.State.CUTTING
    if not is_new:
        _refuse_changed_input(release, include_simulated)
    with _work_folder() as folder:
        manifest = build_release(release, folder, include_simulated=include_simulated)
        if is_new:
            _finish(release, folder, manifest)
        else:
            _compare(release, folder)
            _restore(release, folder)
    return release


def publish_release(release: Release, now: datetime) -> None:
    """Let the tier's readers see it; raises NotPublishable where `why_not_publishable` says so."""
    if reason := why_not_publishable(release):
        raise NotPublishable(reason)
    published = Release.State.PUBLISHED
    changed = Release.objects.filter(pk=release.pk, state=Release.State.DRAFT, has_simulated=False).update(
        state=published, published_at=now
    )
    release.refresh_from_db(fields=["state", "published_at", "has_simulated"])
    if not changed and release.state != published:
        raise NotPublishable(_("It is not finished."))


def why_not_publishable(release: Release) -> str:
    """What keeps a release from being published, in words: simulated rows, or people not well hidden."""
    if release.has_simulated:
        return _("It contains simulated annotators. Cut a version without them, and publish that.")
    is_internal = release.tier == Release.Tier.INTERNAL
    return "" if is_internal else why_unmet(release.manifest.get("privacy"))


def release_folder(release: Release) -> str:
    """Where the release's files are in the storage named "releases"."""
    return f"{release.campaign.slug}/{release.version}"


def copy_release(release: Release, target: Path) -> None:
    """Write the release's files into a folder that is new or empty; raises FileExistsError otherwise."""
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise FileExistsError(_("%(path)s exists and is not an empty folder") % {"path": target})
    storage = storages["releases"]
    for file in release.files.all():
        path = target / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        with storage.open(f"{release_folder(release)}/{file.path}", "rb") as stream, path.open("wb") as copy:
            shutil.copyfileobj(stream, copy)


def _claim(
    campaign: Campaign, version: str, user: User | None, include_simulated: bool, now: datetime
) -> Release:
    """The version's row: new, as it was cut, or left over from a cut that did not finish and starts over."""
    release, is_created = Release.objects.get_or_create(
        campaign=campaign,
        version=version,
        defaults={"cutoff": now, "created_by": user, "manifest": {"include_simulated": include_simulated}},
    )
    if not is_created and release.state == Release.State.CUTTING:
        Release.objects.filter(pk=release.pk, state=Release.State.CUTTING).update(cutoff=now)
        release.refresh_from_db()
    return release


@contextmanager
def _work_folder() -> Iterator[Path]:
    """A folder to build in, beside the releases where they are local, so that moving it is one step."""
    storage = storages["releases"]
    parent = settings.DATA_DIR / "run"
    if isinstance(storage, FileSystemStorage):
        parent = Path(storage.location)
    parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=".cutting-", dir=parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _finish(release: Release, folder: Path, manifest: dict[str, Any]) -> None:
    """Files to their place, rows to the database; whoever finishes first wins."""
    storage = storages["releases"]
    mine = Release.objects.filter(pk=release.pk, state=Release.State.CUTTING, cutoff=release.cutoff)
    is_local = isinstance(storage, FileSystemStorage)
    if not is_local and mine.exists():
        # Network calls stay outside the transaction; until it commits nobody sees the files.
        _upload(release, folder)
    with transaction.atomic():
        won = mine.update(
            state=Release.State.DRAFT,
            tier=manifest["tier"],
            has_simulated=manifest["has_simulated"],
            manifest={name: value for name, value in manifest.items() if name != "files"},
        )
        if not won:
            raise ReleaseChanged(_("Somebody else cut this version at the same time."))
        ReleaseFile.objects.bulk_create(_file_rows(release, folder))
        if isinstance(storage, FileSystemStorage):
            _move(folder, Path(storage.path(release_folder(release))))
    release.refresh_from_db()


def _file_rows(release: Release, folder: Path) -> Iterator[ReleaseFile]:
    for name in [*list_files(folder), MANIFEST]:
        described = describe_file(folder / name)
        yield ReleaseFile(
            release=release,
            path=name,
            sha256=described["sha256"],
            size=described["bytes"],
            rows=described.get("rows"),
        )


def _move(folder: Path, target: Path) -> None:
    if target.exists():  # left over from a cut that moved its files and then could not commit
        shutil.rmtree(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    folder.rename(target)


def _upload(release: Release, folder: Path) -> None:
    storage = storages["releases"]
    for name in [*list_files(folder), MANIFEST]:
        key = f"{release_folder(release)}/{name}"
        storage.delete(key)
        with (folder / name).open("rb") as stream:
            storage.save(key, File(stream))


def _refuse_changed_input(release: Release, include_simulated: bool) -> None:
    if release.manifest.get("include_simulated", True) != include_simulated:
        said = _("It was cut with simulated annotators.") if not include_simulated else ""
        raise ReleaseChanged(said or _("It was cut without simulated annotators."))
    gone = Annotator.objects.filter(campaign=release.campaign, withdrawn_at__gt=release.cutoff).count()
    if gone:
        said = ngettext(
            "%(count)s annotator has withdrawn since; cut a new version.",
            "%(count)s annotators have withdrawn since; cut a new version.",
            gone,
        )
        raise ReleaseChanged(said % {"count": gone})


def _compare(release: Release, folder: Path) -> None:
    before = dict(release.files.values_list("path", "sha256"))
    after = {file.path: file.sha256 for file in _file_rows(release, folder)}
    changed = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
    changed = [name for name in changed if name != MANIFEST] or changed
    if changed:
        raise ReleaseChanged(
            _("The campaign has changed since: %(files)s would differ. Cut a new version.")
            % {"files": ", ".join(changed[:5])}
        )


def _restore(release: Release, folder: Path) -> None:
    """Put back what is gone from the storage; what is there stays."""
    storage = storages["releases"]
    for name in [*list_files(folder), MANIFEST]:
        key = f"{release_folder(release)}/{name}"
        if not storage.exists(key):
            with (folder / name).open("rb") as stream:
                storage.save(key, File(stream))
