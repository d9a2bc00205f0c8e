"""Commands about the program itself: what is shipped, the page, whether the installation is sound."""

from __future__ import annotations

import argparse
import sys

from rescore_music.cli.printing import first_line, say, say_json


def run_templates(args: argparse.Namespace) -> int:
    """List the forces, styles and presets."""
    from rescore_music.template import templates

    found = templates()
    kinds = {kind: dict(getattr(found, kind)) for kind in ("forces", "styles", "presets")}
    if args.json:
        say_json(kinds)
        return 0
    for kind, entries in kinds.items():
        say(kind)
        for name, about in entries.items():
            say(f"  {name:<24} {first_line(about)}")
    return 0


def run_app(args: argparse.Namespace) -> int:
    """Open the page in a browser (Streamlit on this machine)."""
    import subprocess

    from rescore_music.resources import app_file

    command = [sys.executable, "-m", "streamlit", "run", str(app_file()), "--server.port", str(args.port)]
    return subprocess.call([*command, "--browser.gatherUsageStats", "false", "--client.toolbarMode", "viewer"])


def run_doctor(args: argparse.Namespace) -> int:
    """Check this installation: packages, sounds, templates, samples."""
    from rescore_music.diagnosis import checks

    found = checks()
    if args.json:
        say_json([{"check": c.name, "ok": c.ok, "detail": c.detail} for c in found])
    else:
        for check in found:
            say(f"{'ok  ' if check.ok else 'FAIL'} {check.name}: {check.detail}")
    return 0 if all(c.ok for c in found) else 1
