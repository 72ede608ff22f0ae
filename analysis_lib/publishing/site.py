"""The site: pages that passed the gate, written chapters, and Jupyter Book over both."""

from __future__ import annotations

import hashlib
import importlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import nbformat
import yaml

from analysis_lib.config import Project
from analysis_lib.errors import BuildFailed
from analysis_lib.publishing.cards import find_notebook
from analysis_lib.publishing.chapters import filled_chapter
from analysis_lib.publishing.files import build_lock, disk_errors, named_errno
from analysis_lib.publishing.findings import read_finding
from analysis_lib.publishing.gate import problems
from analysis_lib.publishing.landing import FAILED, WITHHELD, Listed, landing
from analysis_lib.publishing.metric_pages import FOLDER
from analysis_lib.publishing.metric_texts import LIST, metric_texts
from analysis_lib.publishing.metrics_page import MARK
from analysis_lib.publishing.outline import REPORTS, chapters, read_outline, table_of_contents
from analysis_lib.publishing.parameters import read_parameters
from analysis_lib.publishing.provenance import stamp
from analysis_lib.publishing.records import RunRecord, run_folder
from analysis_lib.publishing.reports import Page
from analysis_lib.publishing.tidy import tidy_site

#: Files of the package sphinx-mathjax-offline that a page with formulas loads.
MATHJAX = ("tex-chtml.js", "output/chtml/fonts/woff-v2")

#: Chapter below which the pages of metrics stand.
METRICS = "metrics"

#: Written beside the site: what it was built from. The same digest means nothing to do.
STAMP = ".built-from"


def build_site(project: Project, pages: Iterable[Page], records: Iterable[RunRecord]) -> Path:
    """Build the website from the last good runs and the written chapters.

    Parameters
    ----------
    project : Project
        The checkout.
    pages : iterable of Page
        Report pages in the order of the book.
    records : iterable of RunRecord
        Their last runs, in the same order.

    Returns
    -------
    Path
        Folder of the finished site.

    Raises
    ------
    BuildFailed
        Jupyter Book failed (the old site stays), or the gate withheld a page (the others are there).
    """
    with disk_errors(project.site), build_lock(project.state):
        source = project.state / "site-source"
        shutil.rmtree(source, ignore_errors=True)
        source.mkdir(parents=True)
        by_slug = {record.slug: record for record in records}
        withheld: dict[str, list[str]] = {}
        user_ids = _user_ids(project)
        listed = [_place(project, source, page, by_slug.get(page.slug), user_ids, withheld) for page in pages]
        _place_chapters(project, source, listed)
        _render(project, source)
    if withheld:
        lines = [f"{slug}: {reason}" for slug, reasons in withheld.items() for reason in reasons]
        raise BuildFailed("the publish gate withheld pages; the others are published:\n  " + "\n  ".join(lines))
    return project.site


def _place(
    project: Project,
    source: Path,
    page: Page,
    record: RunRecord | None,
    user_ids: list[str],
    withheld: dict[str, list[str]],
) -> Listed:
    """Stamp one page into the site's source, unless there is none or the gate objects."""
    folder = run_folder(project, page.slug)
    if record is None or not folder.page.is_file():
        return Listed(page, lack=FAILED)
    notebook = nbformat.read(folder.page, as_version=4)
    if reasons := problems(notebook, user_ids):
        withheld[page.slug] = reasons
        return Listed(page, lack=WITHHELD)
    stamped = stamp(notebook, record, read_parameters(find_notebook(project, page.notebook)))
    target = source / REPORTS / f"{page.slug}.ipynb"
    target.parent.mkdir(exist_ok=True)
    nbformat.write(stamped, target)
    made = record.good if record.stale and record.good else record.to_dict()
    return Listed(page, read_finding(notebook), str(made["finished_at"])[:10], record.stale)


def _user_ids(project: Project) -> list[str]:
    from analysis_lib.warehouse import load_sources

    return [source.user_id_pattern for source in load_sources(project).values() if source.user_id_pattern]


def _place_chapters(project: Project, source: Path, listed: list[Listed]) -> None:
    outline = read_outline(project)
    there = [report.page for report in listed if not report.lack]
    texts = metric_texts(project, there) if METRICS in chapters(outline) else {}
    for chapter in chapters(outline):
        text = (project.book / f"{chapter}.md").read_text(encoding="utf-8")
        if chapter == outline.root:
            text = landing(text, listed)
        text = filled_chapter(project, chapter, text.replace(MARK, texts.get(LIST, "")))
        (source / f"{chapter}.md").write_text(text, encoding="utf-8")
    own = _place_metrics(source, {name: text for name, text in texts.items() if name != LIST})
    contents = table_of_contents(outline, there, below={METRICS: own})
    (source / "_toc.yml").write_text(yaml.safe_dump(contents, sort_keys=False, allow_unicode=True), encoding="utf-8")
    shutil.copytree(project.book / "_static", source / "_static")
    _place_mathjax(source / "_static" / "mathjax")
    shutil.copyfile(project.root / "_config.yml", source / "_config.yml")


def _place_metrics(source: Path, texts: dict[str, str]) -> list[str]:
    """A page for each metric; the files that the outline names."""
    (source / FOLDER).mkdir(exist_ok=True)
    for name, text in texts.items():
        (source / FOLDER / f"{name}.md").write_text(text, encoding="utf-8")
    return [f"{FOLDER}/{name}" for name in texts]


def _place_mathjax(target: Path) -> None:
    """The bundled copy: formulas without a network."""
    # The package is named with hyphens; only its data are used.
    package = importlib.import_module("sphinx-mathjax-offline")
    static = Path(str(package.__file__)).parent / "static" / "mathjax"
    for name in MATHJAX:
        place = target / name
        place.parent.mkdir(parents=True, exist_ok=True)
        if (static / name).is_dir():
            shutil.copytree(static / name, place)
        else:
            shutil.copyfile(static / name, place)


def _render(project: Project, source: Path) -> None:
    """Run Jupyter Book into a folder of its own, and put the result in place when it is whole."""
    digest = _digest(project, source)
    stamp_file = project.site.parent / STAMP
    if (project.site / "index.html").is_file() and stamp_file.is_file() and stamp_file.read_text() == digest:
        return
    # Beside the site: the finished folder can then be put in its place by a rename.
    output = project.site.parent / "next"
    shutil.rmtree(output, ignore_errors=True)
    try:
        built = _jupyter_book(project, source, output)
        tidy_site(built)
        _swap(built, project.site)
    finally:
        # Half a site is of no use, and may be what fills the disk.
        shutil.rmtree(output, ignore_errors=True)
    stamp_file.write_text(digest)


def _jupyter_book(project: Project, source: Path, output: Path) -> Path:
    """The folder of the pages that Jupyter Book made; a warning is a failure."""
    # The package has no __main__; this is what its console command runs.
    command = [sys.executable, "-c", "from jupyter_book.cli.main import main; main()", "build", str(source)]
    command += ["--path-output", str(output), "--config", str(source / "_config.yml"), "-W", "--keep-going"]
    # Times inside figures and pages come from the runs; the builder itself adds none.
    environment = os.environ | {"PYTHONPATH": str(project.root), "SOURCE_DATE_EPOCH": "0"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=project.root, check=False)
    told = done.stdout + done.stderr
    log = project.state / "site.log"
    log.write_text(told, encoding="utf-8")
    built = output / "_build" / "html"
    if done.returncode or not (built / "index.html").is_file():
        if number := named_errno(told):
            raise OSError(number, os.strerror(number), str(output))
        tail = "\n".join(told.strip().splitlines()[-12:])
        raise BuildFailed(f"Jupyter Book failed; the old site is untouched. Its whole output is in {log}:\n{tail}")
    return built


def _swap(new: Path, place: Path) -> None:
    """Put a finished folder in the place of the old one; there is no moment with half a site."""
    place.parent.mkdir(parents=True, exist_ok=True)
    old = place.with_name(place.name + ".old")
    shutil.rmtree(old, ignore_errors=True)
    if place.exists():
        place.rename(old)
    try:
        new.rename(place)
    except OSError:
        if old.exists():
            old.rename(place)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _digest(project: Project, source: Path) -> str:
    """Digest of everything the site is made of: its source, and the library its API page describes."""
    files = [path for path in source.rglob("*") if path.is_file()]
    files += (project.root / "analysis_lib").rglob("*.py")
    total = hashlib.sha256()
    for path in sorted(files):
        total.update(str(path.relative_to(project.root)).encode())
        total.update(path.read_bytes())
    return total.hexdigest()
