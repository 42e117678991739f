"""The house rules that a program can check: sizes, names, and where SQL lives."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("command_api", "query_api", "projector", "shared", "deploy", "docs")
MODULE_LINES_MAX = 250
FUNCTION_LINES_MAX = 60
_SQL = re.compile(
    r"\b(SELECT\s.+\sFROM|INSERT\s+INTO|UPDATE\s+\S+\s+SET|DELETE\s+FROM|TRUNCATE\s|CREATE\s+(TABLE|INDEX|ROLE))\b",
    re.DOTALL,
)


def _modules() -> list[Path]:
    return [module for package in PACKAGES for module in sorted((ROOT / package).rglob("*.py"))]


def _named(module: Path) -> str:
    return module.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("module", _modules(), ids=_named)
def test_a_module_and_its_functions_can_be_read_in_one_sitting(module: Path) -> None:
    text = module.read_text()
    assert len(text.splitlines()) <= MODULE_LINES_MAX
    long = [
        node.name
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno + 1 > FUNCTION_LINES_MAX
    ]
    assert long == []


def test_no_module_and_no_class_is_called_by_a_word_that_says_nothing() -> None:
    words = re.compile(r"(?i)utils?|helpers?|common|misc|base")
    assert [_named(module) for module in _modules() if words.fullmatch(module.stem)] == []
    ends = re.compile(r"(Manager|Helper|Base|Utils?)$")
    classes = [
        f"{_named(module)}: {node.name}"
        for module in _modules()
        for node in ast.walk(ast.parse(module.read_text()))
        if isinstance(node, ast.ClassDef) and ends.search(node.name)
    ]
    assert classes == []


@pytest.mark.parametrize("module", _modules(), ids=_named)
def test_a_module_begins_with_a_sentence_about_itself(module: Path) -> None:
    assert len(ast.get_docstring(ast.parse(module.read_text())) or "") > 20


def _sql_files() -> list[Path]:
    return [file for package in PACKAGES for file in sorted((ROOT / package).rglob("*.sql"))]


@pytest.mark.parametrize("file", _sql_files(), ids=_named)
def test_an_sql_file_begins_with_a_comment_that_says_what_it_is_for(file: Path) -> None:
    first = file.read_text().splitlines()[0]
    assert re.fullmatch(r"-- \S.{10,}", first)


def test_each_sql_file_has_a_caller() -> None:
    """In a module of its own package that names it: a statement that nobody runs protects nothing."""
    for package in PACKAGES:
        named = {
            node.value
            for module in (ROOT / package).rglob("*.py")
            for node in ast.walk(ast.parse(module.read_text()))
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
        }
        files = [
            file
            for file in _sql_files()
            if file.is_relative_to(ROOT / package) and "migrations" not in file.parts
        ]
        assert [_named(file) for file in files if not {file.stem, file.name} & named] == []


@pytest.mark.parametrize("file", [f for f in _sql_files() if "migrations" in f.parts], ids=_named)
def test_a_migration_says_in_its_name_whether_it_runs_before_or_after_a_deploy(file: Path) -> None:
    assert re.fullmatch(r"\d{4}_(before|after)_deploy_[a-z0-9_]+\.sql", file.name)


@pytest.mark.parametrize("module", _modules(), ids=_named)
def test_no_module_holds_sql_in_a_string(module: Path) -> None:
    if module.is_relative_to(ROOT / "deploy"):
        pytest.skip("deploy speaks to a server that it has just made")
    tree = ast.parse(module.read_text())
    told = {
        node.body[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    strings = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in told
    ]
    assert [text for text in strings if _SQL.search(text)] == []
