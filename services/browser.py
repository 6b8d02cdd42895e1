"""Tell a person where the cockpit is, and open a browser where there is a screen."""

from __future__ import annotations

import os
import sys
import threading
import webbrowser

from services.settings import Settings


def announce(settings: Settings, in_browser: bool) -> None:
    """Say where the cockpit is, and open a browser where there is a screen."""
    address = f"http://{settings.host}:{settings.port}/"
    print(f"AI trading cockpit: {address}", flush=True)
    if in_browser and has_display():
        threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()


def has_display() -> bool:
    """Return whether a browser can be opened."""
    return sys.platform in ("win32", "darwin") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
