import ast
import re
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).parent.parent


def test_the_configuration_reference_is_current() -> None:
    script = PROJECT / "scripts" / "document_configuration.py"
    subprocess.run([sys.executable, str(script), "--check"], check=True)


def test_no_placeholder_is_left_in_the_documents() -> None:
    for document in (PROJECT / "README.md", *PROJECT.glob("docs/*.md")):
        assert "<<" not in document.read_text(encoding="utf-8"), document


def names_in(path: Path) -> set[str]:
    """Collect the functions, classes, methods (as Class.method) and constants of a module."""
    names = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        if isinstance(node, ast.ClassDef):
            names |= {f"{node.name}.{item.name}" for item in node.body if isinstance(item, ast.FunctionDef)}
        if isinstance(node, ast.Assign):
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return names


def test_what_the_mathematics_links_to_exists() -> None:
    text = (PROJECT / "docs" / "mathematics.md").read_text(encoding="utf-8")
    links = re.findall(r"\[([^]]+)\]\(([^)]+)\)", text)
    assert links
    for label, target in links:
        path = PROJECT / "docs" / target
        assert path.is_file(), target
        if label.startswith("`"):
            assert label.strip("`") in names_in(path), f"{label} in {target}"


def test_the_tests_that_keep_the_promises_exist() -> None:
    for document in ("reliability.md", "input.md"):
        text = (PROJECT / "docs" / document).read_text(encoding="utf-8")
        tests = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", text)
        assert tests
        assert len(tests) == text.count("::")
        for path, name in tests:
            assert name in names_in(PROJECT / path), f"{path}::{name}"


def test_every_kind_of_input_has_a_test() -> None:
    text = (PROJECT / "docs" / "input.md").read_text(encoding="utf-8")
    kinds = text[text.index("\n## ") :].splitlines()
    rows = [line for line in kinds if line.startswith("| ") and not line.startswith("| what")]
    assert len(rows) > 50
    for row in rows:
        assert row.count(" | ") == 2, row
        assert "::" in row, row


def imported(path: Path) -> set[str]:
    """Collect the parts of the package, folders or modules at its root, that a module imports from."""
    parts = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == "rnnlm":
            parts |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("rnnlm."):
            parts.add(node.module.split(".")[1])
    return parts


def test_each_part_imports_only_what_the_architecture_lists_above_it() -> None:
    text = (PROJECT / "docs" / "architecture.md").read_text(encoding="utf-8")
    listed = re.findall(r"^  (\w+)(?:/|\.py) ", text, re.MULTILINE)
    package = PROJECT / "rnnlm"
    files = [path for path in package.rglob("*.py") if path.parent != package or "__" not in path.stem]
    parts = [path.relative_to(package).parts[0].removesuffix(".py") for path in files]
    assert {*listed} == {*parts}
    for path, part in zip(files, parts, strict=True):
        assert imported(path) <= {*listed[: listed.index(part) + 1]}, path
