"""The built site, and a browser that looks at it from the file system."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from analysis_lib import config

#: Without these Chromium looks for hosts of its maker at every start.
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]  # fmt: skip

NARROW, WIDE = {"width": 390, "height": 844}, {"width": 1280, "height": 900}


@pytest.fixture(scope="session")
def site() -> Path:
    """The site as `shopbook build` makes it; nothing is done if nothing has changed."""
    project = config.project()
    command = [sys.executable, "-m", "analysis_lib", "build"]
    for _ in range(400):
        done = subprocess.run(command, capture_output=True, text=True, cwd=project.root, check=False)
        if "another shopbook command" not in done.stdout + done.stderr:
            break
        # Somebody else is building this checkout: what they make is what is wanted here.
        time.sleep(5)
    assert done.returncode == 0, done.stdout + done.stderr
    return project.site


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    names = (os.environ.get("CHROMIUM"), "chromium", "chromium-browser", "google-chrome")
    path = next((found for name in names if name and (found := shutil.which(name))), None)
    assert path, "Chromium is needed: make browser installs it, or says how"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=QUIET)
        yield chromium
        chromium.close()


class Visit:
    """A page that remembers what it asked for and what went wrong."""

    def __init__(self, context: BrowserContext) -> None:
        self.page: Page = context.new_page()
        self.requests: list[str] = []
        self.errors: list[str] = []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", lambda line: self.errors.append(line.text) if line.type == "error" else None)

    def outside(self) -> list[str]:
        """Requests that leave the site."""
        return [url for url in self.requests if not url.startswith(("file:", "data:", "blob:", "about:"))]


@pytest.fixture(params=[NARROW, WIDE], ids=["narrow", "wide"])
def visit(request: pytest.FixtureRequest, browser: Browser, site: Path) -> Iterator[Visit]:
    """A fresh visitor on a phone and at a desk."""
    context = browser.new_context(viewport=request.param)
    yield Visit(context)
    context.close()


@pytest.fixture(scope="module", params=[NARROW, WIDE], ids=["narrow", "wide"])
def wanderer(request: pytest.FixtureRequest, browser: Browser, site: Path) -> Iterator[Visit]:
    """A visitor who stays for all tests of a module."""
    context = browser.new_context(viewport=request.param)
    yield Visit(context)
    context.close()


@pytest.fixture
def wide(browser: Browser, site: Path) -> Iterator[Visit]:
    context = browser.new_context(viewport=WIDE, accept_downloads=True)
    yield Visit(context)
    context.close()
