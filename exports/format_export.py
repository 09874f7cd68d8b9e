"""Writing a release folder in another project's format, beside a manifest of what was left out."""

import shutil
import tempfile
from pathlib import Path
from typing import Any

from exports.files import hash_file, write_json
from exports.folder import MANIFEST
from exports.formats import FORMATS
from exports.formats.content import Content
from exports.formats.format import CannotExport, Format, Options, Written
from exports.manifest import list_files
from exports.release_folder import ReleaseFolder
from exports.verification import verify_release


def export_format(release: Path, name: str, out: Path, options: Options) -> Written:
    """Write the release in the named format; `out` appears complete or not at all.

    Raises CannotExport for an unknown format, a folder that is not a release as it was written, an `out`
    that is not empty, and a release that cannot supply what the format needs.
    """
    if name not in FORMATS:
        raise CannotExport(f'there is no format "{name}"; there are: {", ".join(FORMATS)}')
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise CannotExport(f"{out} exists and is not an empty folder")
    if out.resolve().is_relative_to(release.resolve()):
        raise CannotExport(f"{out} lies inside the release, which must stay as it was written")
    if problems := verify_release(release):
        raise CannotExport(f"{release} is not a release as it was written: {problems[0]}")
    out.absolute().parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.absolute().parent, prefix=".exporting-") as scratch:
        made = Path(scratch) / "made"
        made.mkdir()
        written = _write(FORMATS[name], ReleaseFolder(release), made, options)
        if out.exists():
            out.rmdir()
        shutil.move(made, out)
    return written


def _write(form: Format, release: ReleaseFolder, folder: Path, options: Options) -> Written:
    content = Content(release)
    written = form.write(content, folder, options)
    if not written.rows:
        counts = ", ".join(f"{count} {reason}" for reason, count in written.left_out.items() if count)
        raise CannotExport(f"needs {form.needs}; nothing is left to export ({counts or 'no rows at all'})")
    write_json(folder / MANIFEST, _describe(form, content, folder, options, written))
    return written


def _describe(
    form: Format, content: Content, folder: Path, options: Options, written: Written
) -> dict[str, Any]:
    release = content.folder.json(MANIFEST)
    people = content.annotators.values()
    return {
        "format": form.name,
        "consumer": form.consumer,
        "needs": form.needs,
        "release": {"version": release.get("version"), "sha256": release["sha256"]},
        "options": vars(options),
        "rows": written.rows,
        "left_out": written.left_out,
        "notes": written.notes,
        "renamed_annotators": {who.annotator_id: who.name for who in people if who.annotator_id != who.name},
        "simulated_annotators": sum(who.is_simulated for who in people),
        "files": {
            name: {"sha256": hash_file(folder / name), "bytes": (folder / name).stat().st_size}
            for name in list_files(folder)
        },
    }
