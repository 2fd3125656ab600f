"""The app as a person starts it: a process of its own, its link read off what it prints."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def started_app(*arguments):
    """Give the process and its link; it is ended at the latest with the block."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "reinfuse.cli", "app", "--no-browser", *map(str, arguments)]
    app = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    try:
        line = app.stdout.readline()
        link = re.search(r"http://127\.0\.0\.1:\d+/[\w-]+/enter\?key=[\w-]+", line)
        assert link, app.stderr.read()
        yield app, link[0]
    finally:
        app.kill()
        app.communicate()
