"""The house rules that a program can check: sizes, names, and where SQL lives."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from projector.projections import NAMES
from tests.architecture.source_files import ROOT, files, named, nobody

MODULE_LINES_MAX = 250
FUNCTION_LINES_MAX = 60
_SQL = re.compile(
    r"\b(SELECT\s.+\sFROM|INSERT\s+INTO|UPDATE\s+\S+\s+SET|DELETE\s+FROM|TRUNCATE\s|CREATE\s+(TABLE|INDEX|ROLE))\b",
    re.DOTALL,
)


@cache
def _tree(module: Path) -> ast.Module:
    return ast.parse(module.read_text())


def test_a_module_can_be_read_in_one_sitting() -> None:
    lengths = {module: len(module.read_text().splitlines()) for module in files(".py")}
    nobody(f"{named(module)}: {lines} lines" for module, lines in lengths.items() if lines > MODULE_LINES_MAX)


def test_a_function_can_be_seen_at_once() -> None:
    nobody(
        f"{named(module)}: {node.name} has {lines} lines"
        for module in files(".py")
        for node in ast.walk(_tree(module))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (lines := (node.end_lineno or 0) - node.lineno + 1) > FUNCTION_LINES_MAX
    )


def test_no_module_and_no_class_is_called_by_a_word_that_says_nothing() -> None:
    words = re.compile(r"(?i)utils?|helpers?|common|misc|base")
    ends = re.compile(r"(Manager|Helper|Base|Utils?)$")
    modules = [named(module) for module in files(".py") if words.fullmatch(module.stem)]
    classes = [
        f"{named(module)}: {node.name}"
        for module in files(".py")
        for node in ast.walk(_tree(module))
        if isinstance(node, ast.ClassDef) and ends.search(node.name)
    ]
    nobody([*modules, *classes])


def test_a_module_begins_with_a_sentence_about_itself() -> None:
    nobody(named(module) for module in files(".py") if len(ast.get_docstring(_tree(module)) or "") <= 20)


def test_an_sql_file_begins_with_a_comment_that_says_what_it_is_for() -> None:
    nobody(
        f"{named(file)}: {first}"
        for file in files(".sql")
        if not re.fullmatch(r"-- \S.{10,}", first := file.read_text().partition("\n")[0])
    )


def test_a_migration_says_in_its_name_whether_it_runs_before_or_after_a_deploy() -> None:
    name = re.compile(r"\d{4}_(before|after)_deploy_[a-z0-9_]+\.sql")
    nobody(named(file) for file in files(".sql") if _is_migration(file) and not name.fullmatch(file.name))


def test_no_module_holds_sql_in_a_string() -> None:
    """But `deploy`, which speaks to a server that it has just made."""
    nobody(
        f"{named(module)}: {text[:60]}"
        for module in files(".py")
        if not module.is_relative_to(ROOT / "deploy")
        for text in _strings(module)
        if _SQL.search(text)
    )


def test_no_code_asks_for_a_projection_by_its_name() -> None:
    """What differs between projections is in their objects; a view's own folder names its tables."""
    home = ROOT / "projector"
    nobody(
        f"{named(module)}: {name}"
        for module in files(".py")
        if module.is_relative_to(home) and module.name not in ("projections.py", "projection.py")
        for name in sorted(set(_strings(module)) & set(NAMES))
        if name not in module.relative_to(home).parts
    )


def test_each_sql_file_has_a_caller() -> None:
    """Its name stands as a string in a module that loads from its folder.

    Migrations are found by number, and a function's present text is compared with a migrated database. An
    operator types what is in the runbooks: a test of the pages asks that one names it.
    """
    loading = {module: set(_strings(module)) for module in files(".py")}
    nobody(
        named(file)
        for file in files(".sql")
        if not _is_migration(file)
        and file.parent.name not in ("functions", "runbooks")
        and not any(
            {file.stem, file.name} & strings and _loads_from(module, strings, file.parent)
            for module, strings in loading.items()
        )
    )


def test_each_sql_function_is_called_by_a_statement_or_by_another_function() -> None:
    texts = {file: file.read_text() for file in files(".sql") if not _is_migration(file)}
    nobody(
        named(file)
        for file in texts
        if file.parent.name == "functions"
        and not any(f".{file.stem}(" in text for other, text in texts.items() if other != file)
    )


def _is_migration(file: Path) -> bool:
    return file.parent.name == "migrations"


def _loads_from(module: Path, strings: set[str], folder: Path) -> bool:
    return module.parent == folder or named(folder).replace("/", ".") in strings


def _strings(module: Path) -> Iterator[str]:
    """All of them but docstrings."""
    tree = _tree(module)
    docstrings = {
        node.body[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in docstrings:
            yield node.value


def test_a_program_that_is_interrupted_or_loses_its_reader_prints_no_traceback() -> None:
    programs = [module for module in files(".py") if module.name == "__main__.py"]
    nobody(
        f"{named(module)}: the last line is not `end_with(main)`"
        for module in programs
        if not module.read_text().endswith('\nif __name__ == "__main__":\n    end_with(main)\n')
    )
