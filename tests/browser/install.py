"""Make sure that a headless Chromium with its driver is here: `python -m tests.browser.install`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

PACKAGES = ("chromium", "chromium-driver")


def find_browser() -> str | None:
    """Return the path of Chromium or Chrome, None when there is none."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((path for name in names if (path := shutil.which(name))), None)


def install() -> int:
    """Install from the system's packages as root, else by the test tool's own installer; say what was done."""
    if find_browser() and shutil.which("chromedriver"):
        return 0
    if shutil.which("apt-get") and hasattr(os, "geteuid") and os.geteuid() == 0:
        print("installing Chromium for the browser tests", flush=True)
        for command in (["apt-get", "update", "-q"], ["apt-get", "install", "-y", "-q", *PACKAGES]):
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return 0
    print("installing Chromium by playwright for the browser tests", flush=True)
    done = subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False)
    if done.returncode:
        print("no browser could be installed: the browser tests will be skipped; install chromium and chromium-driver")
    return 0


if __name__ == "__main__":
    sys.exit(install())
