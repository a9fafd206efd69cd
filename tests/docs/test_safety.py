"""The safety case: every link of docs/safety.md leads somewhere, and every rule has a goal."""

import ast
import re

import pytest
from pages import ROOT

from marque.guard import clauses, envelope, interlock, response, watch

PAGE = ROOT / "docs" / "safety.md"
WORD = re.compile(r"[a-z]+(_[a-z]+)*")


def rows(text: str, head: str) -> list[list[str]]:
    """Cells of the rows of the table whose first cell in the head is `head`."""
    found, inside = [], False
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith(f"| {head} |"):
            inside = True
        elif inside and line.startswith("|"):
            if not set(line) <= set("|- "):
                found.append(cells)
        else:
            inside = False
    return found


def rules_of_the_guard() -> set[str]:
    """Names that a verdict's rule may have: the tables, and words in what freshness and the guard
    return."""
    tables = (envelope.RULES, watch.RULES, interlock.RULES, response.FAULTS)
    found = {rule for table in tables for rule in table}
    for name in ("freshness", "guard"):
        tree = ast.parse((ROOT / "src/marque/guard" / f"{name}.py").read_text(encoding="utf-8"))
        told = {
            id(node.body[0].value)
            for node in ast.walk(tree)
            if isinstance(node, (ast.Module, ast.FunctionDef, ast.ClassDef))
            and node.body
            and isinstance(node.body[0], ast.Expr)
        }
        found |= {
            node.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in told
            and WORD.fullmatch(node.value)
        }
    return found - {""}


def faults_of(text: str) -> list[str]:
    """What is wrong with the page."""
    wrong = []
    known, hazards = rules_of_the_guard(), {row[0] for row in rows(text, "id")}
    goals, named, met = rows(text, "goal"), set(), set()
    for goal, of, rules, tests in goals:
        met |= set(re.findall(r"H\d+", of))
        here = set(re.findall(r"`([^`]+)`", rules))
        named |= here
        wrong += [f"{goal}: no rule '{rule}' in the guard" for rule in sorted(here - known)]
        shown = re.findall(r"`([^`]+)`", tests)
        wrong += [] if shown and here else [f"{goal}: nothing shows it"]
        for test in shown:
            file, _, name = test.partition("::")
            path = ROOT / file
            if not path.is_file() or f"def {name}(" not in path.read_text(encoding="utf-8"):
                wrong.append(f"{goal}: no test '{test}'")
    wrong += [f"no goal asks for the rule '{rule}'" for rule in sorted(known - named)]
    wrong += [f"no goal for {hazard}" for hazard in sorted(hazards - met)]
    wrong += [f"no hazard {hazard}" for hazard in sorted(met - hazards)]
    return wrong if goals and hazards else [*wrong, "no table"]


def test_every_link_of_the_safety_case_leads_somewhere() -> None:
    assert faults_of(PAGE.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("`rss` |", "`rsss` |", "no rule 'rsss' in the guard"),
        ("`standstill`", "`manoeuvre`", "no goal asks for the rule 'standstill'"),
        ("::test_commands`", "::test_comands`", "no test 'tests/guard/test_freshness.py::test_com"),
        ("tests/guard/test_envelope.py", "tests/guard/test_nothing.py", "no test"),
        ("| G13 a car at rest stays there until it may move | H8 |", "| G13 x | H7 |", "for H8"),
        ("| H8 | `stand", "| H18 | `stand", "no hazard H18"),
        ("`tests/guard/test_manoeuvre.py::test_at_rest_it_stays_at_rest`", "", "nothing shows it"),
        ("| goal |", "| gaol |", "no table"),
    ],
)
def test_a_dangling_link_is_found(old: str, new: str, said: str) -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert old in text
    assert any(said in each for each in faults_of(text.replace(old, new)))


def test_every_rule_stands_on_a_clause() -> None:
    assert rules_of_the_guard() == set(clauses.CLAUSES) - {""}
