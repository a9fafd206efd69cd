"""What stands in the pages for newcomers: code, commands, links."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks of one language, in order."""
    text = page.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.DOTALL | re.MULTILINE)


def commands(page: Path) -> list[str]:
    """Every `marque ...` line of the shell blocks, comments cut off."""
    lines = "\n".join(blocks(page, "sh")).splitlines()
    return [line.split("#")[0].strip() for line in lines if line.lstrip().startswith("marque ")]
