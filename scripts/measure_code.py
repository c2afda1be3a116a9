"""Print how large the package's code is: its lines, and the largest classes, functions and constructors.

Usage: python scripts/measure_code.py [FOLDER]

A function's lines are those from `def` to its end; those of an inner function count for the outer one too. Click
commands are left out, because their options are their length, and so are constructors that `dataclass` makes.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

PACKAGE = Path(__file__).parent.parent / "rnnlm"


class Part(NamedTuple):
    """A class, a function or a constructor."""

    size: int
    where: str


def parts(package: Path, kind: type[ast.AST]) -> Iterator[tuple[ast.AST, str]]:
    """Find the classes or functions of a package, with the file, line and name of each."""
    for path in sorted(package.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, kind):
                yield node, f"{path.relative_to(package.parent).as_posix()}:{node.lineno} {node.name}"


def classes(package: Path = PACKAGE) -> list[Part]:
    """List the classes with their lines, the largest first."""
    found = parts(package, ast.ClassDef)
    return sorted((Part(length(node), where) for node, where in found), reverse=True)


def functions(package: Path = PACKAGE) -> list[Part]:
    """List the functions and methods with their lines, the largest first."""
    found = parts(package, ast.FunctionDef)
    return sorted((Part(length(node), where) for node, where in found if not is_command(node)), reverse=True)


def constructors(package: Path = PACKAGE) -> list[Part]:
    """List the constructors with the number of their parameters, the most first."""
    found = parts(package, ast.ClassDef)
    return sorted(
        (
            Part(parameters(item), where)
            for node, where in found
            for item in node.body
            if isinstance(item, ast.FunctionDef) and item.name in ("__init__", "__new__")
        ),
        reverse=True,
    )


def lines(package: Path = PACKAGE) -> int:
    """Count the lines of a package's modules."""
    return sum(len(path.read_text(encoding="utf-8").splitlines()) for path in package.rglob("*.py"))


def length(node: ast.ClassDef | ast.FunctionDef) -> int:
    return node.end_lineno - node.lineno + 1


def is_command(node: ast.FunctionDef) -> bool:
    """Return whether a function is decorated with something like ``@click.command(...)``."""
    return any("command(" in ast.unparse(decorator) for decorator in node.decorator_list)


def parameters(constructor: ast.FunctionDef) -> int:
    """Count the parameters of a constructor but the first, which is the object itself."""
    arguments = constructor.args
    named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    return len(named) - 1 + (arguments.vararg is not None) + (arguments.kwarg is not None)


def main(package: Path) -> None:
    print(f"{lines(package):,} lines in {package.name}/")
    for title, found in (
        ("lines of the largest classes", classes(package)),
        ("lines of the largest functions, commands apart", functions(package)),
        ("parameters of constructors", constructors(package)),
    ):
        print(f"\n{title}")
        for part in found[:12]:
            print(f"{part.size:6} {part.where}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else PACKAGE)
