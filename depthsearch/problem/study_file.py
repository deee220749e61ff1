"""Study files: one or more problems declared in TOML, with reported numbers to compare.

title = "Gradient Vanishing and ResNet"

[defaults]                       # fields of every problem below
data = { name = "moons", noise = 0.2 }

[settings]                       # of the search, for every problem below
reliability = 0.5

[[problems]]
name = "ffnet-tanh"
family = "ffnet"
activation = "tanh"
reported = { depth = 21, note = "n = 20" }

[[problems.reported.rows]]       # single depths that were reported as well
depth = 31
train_accuracy = 0.514
test_accuracy = 0.486

[inspect]                        # networks that `depthsearch inspect` looks at: of each problem, at one depth
depth = 8
seeds = 20
"""

import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self

import tomli_w
from pydantic import Field, model_validator

from depthsearch.errors import InvalidValue, UnknownName, UnreadableStudyFile
from depthsearch.problem.problem import Problem
from depthsearch.schema import DEEPEST, FrozenModel
from depthsearch.search.settings import SearchSettings

TABLES = ("title", "source", "defaults", "settings", "inspect", "problems")


ReportedDepth = Annotated[int, Field(strict=True, ge=0, le=1_000_000)]


Share = Annotated[float, Field(ge=0, le=1)]


class ReportedRow(FrozenModel):
    """What somebody else reported of one depth, in our units."""

    called: ClassVar[str] = "reported row"

    depth: ReportedDepth
    train_accuracy: Share | None = None
    test_accuracy: Share | None = None
    note: str = ""


class Reported(FrozenModel):
    """What somebody else reported for a problem.

    Attributes:
        depth: The deepest that trains, in our units.
        gradient_ratio: How many times larger the last layer's mean |gradient| is than the first's.
        note: A remark.
        rows: Single depths.
    """

    called: ClassVar[str] = "reported"

    depth: ReportedDepth | None = None
    gradient_ratio: Annotated[float, Field(gt=0)] | None = None
    note: str = ""
    rows: tuple[ReportedRow, ...] = ()


class InspectPlan(FrozenModel):
    """Which networks of each problem are looked at: so many of one depth, of the seeds 0, 1, 2, ..."""

    called: ClassVar[str] = "inspect"

    depth: Annotated[int, Field(strict=True, ge=0, le=DEEPEST)]
    seeds: Annotated[int, Field(strict=True, ge=1, le=10_000)] = 20

    @model_validator(mode="before")
    @classmethod
    def _depth_is_given(cls, data: Any) -> Any:
        depth = data.get("depth") if isinstance(data, dict) else 0
        if depth is None:
            raise InvalidValue(f"is missing: give a whole number of 1 to {DEEPEST}, as in depth = 8", path="depth")
        if type(depth) is not int:
            raise InvalidValue(path="depth", value=depth, expected=f"a whole number of 1 to {DEEPEST}")
        return data


class NamedProblem(FrozenModel):
    """A problem under the name by which a study file knows it."""

    name: str
    problem: Problem
    reported: Reported | None = None


class StudyFile(FrozenModel):
    """The whole of a study file, defaults already merged into each problem."""

    title: str = ""
    source: str = ""
    settings: SearchSettings = SearchSettings()
    inspect: InspectPlan | None = None
    problems: tuple[NamedProblem, ...]

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [entry.name for entry in self.problems]
        if not names:
            raise InvalidValue("problems is empty: a study file declares at least one [[problems]]")
        for name in names:
            if not name.strip() or not name.isprintable():
                raise InvalidValue(path="name", value=name, expected="printable characters in one line")
            if names.count(name) > 1:
                raise InvalidValue(
                    f"{name!r} names more than one problem: each needs another name", path="name", value=name
                )
        return self

    def entry(self, name: str | None = None) -> NamedProblem:
        """The problem of that name, or the only one, with what was reported of it.

        Raises:
            InvalidValue: There is no such name, or no name was given and there are several.
        """
        names = [entry.name for entry in self.problems]
        if name is None and len(names) > 1:
            raise InvalidValue(f"the study file declares {len(names)} problems, choose by name: {', '.join(names)}")
        if name is not None and name not in names:
            raise InvalidValue(f"the study file declares no problem {name!r}: accepted: {', '.join(names)}")
        return self.problems[names.index(name) if name is not None else 0]

    def problem(self, name: str | None = None) -> Problem:
        """The problem of that name, or the only one (see entry)."""
        return self.entry(name).problem


def read_study_file(path: str | Path) -> StudyFile:
    """Read a study file.

    Raises:
        UnreadableStudyFile: It is missing, not TOML, or declares something that cannot be used; the message
            names the file and, where there is one to blame, the line.
    """
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else f"not UTF-8 text ({error.reason})"
        raise UnreadableStudyFile(path, None, f"cannot be read: {reason}; expected a TOML file") from None
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"\(at line (\d+), column \d+\)", str(error))
        line = int(found[1]) if found else len(text.splitlines())
        content = text.splitlines()[line - 1].strip() if 0 < line <= len(text.splitlines()) else ""
        reason = str(error).split(" (at ")[0]
        raise UnreadableStudyFile(path, line, f"not valid TOML: {reason}, in {content!r}") from None
    except (ValueError, RecursionError) as error:
        # The reader's given limits: numbers of thousands of digits, thousands of brackets within each other.
        raise UnreadableStudyFile(path, None, f"cannot be read as TOML: {' '.join(str(error).split())}") from None
    return _study_file(path, text, document)


def write_study_file(path: str | Path, study_file: StudyFile) -> None:
    """Write a study file that `read_study_file` reads back as an equal value."""
    inspected = {"inspect": study_file.inspect.model_dump(mode="json")} if study_file.inspect else {}
    document: dict[str, Any] = {
        "title": study_file.title,
        "source": study_file.source,
        "settings": _without_nulls(study_file.settings.model_dump(mode="json")),
        **inspected,
        "problems": [
            {"name": entry.name}
            | _without_nulls(entry.problem.model_dump(mode="json"))
            | ({"reported": _without_nulls(entry.reported.model_dump(mode="json"))} if entry.reported else {})
            for entry in study_file.problems
        ],
    }
    Path(path).write_text(tomli_w.dumps(document), encoding="utf-8")


def _study_file(path: str | Path, text: str, document: dict[str, Any]) -> StudyFile:
    lines = TomlLines(text)
    for key in document:
        if key not in TABLES:
            raise UnreadableStudyFile(path, lines.of_key(key), f"unknown field {key!r}: accepted: {', '.join(TABLES)}")
    tables, defaults = document.get("problems", []), document.get("defaults", {})
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise UnreadableStudyFile(path, lines.of_key("problems"), "problems must be written as [[problems]] tables")
    if not isinstance(defaults, dict):
        raise UnreadableStudyFile(path, lines.of_key("defaults"), "defaults must be written as a [defaults] table")
    read: dict[str, Any] = {}
    for key, model in (("settings", SearchSettings), ("inspect", InspectPlan)):
        try:
            read |= {key: model.model_validate(document[key])} if key in document else {}
        except InvalidValue as error:
            raise UnreadableStudyFile(path, lines.of_error(error, key) or lines.of_key(key), str(error)) from None
    entries = []
    for k, table in enumerate(tables):
        try:
            entries.append(_entry(defaults, table, k))
        except InvalidValue as error:
            raise UnreadableStudyFile(path, lines.of_error(error, "problems", k), str(error)) from None
    try:
        return StudyFile(
            title=document.get("title", ""),
            source=document.get("source", ""),
            problems=tuple(entries),
            **read,
        )
    except InvalidValue as error:
        raise UnreadableStudyFile(path, lines.of_key(error.field.rpartition(".")[2]), str(error)) from None


def _entry(defaults: dict[str, Any], table: dict[str, Any], k: int) -> NamedProblem:
    given = {key: value for key, value in table.items() if key not in ("name", "reported")}
    return NamedProblem(
        name=table.get("name", f"problem-{k + 1}"),
        problem=Problem.model_validate(
            _merged(Problem.with_network_table(defaults), Problem.with_network_table(given))
        ),
        reported=Reported.model_validate(table["reported"]) if "reported" in table else None,
    )


SHORT_FORMS = {"network": "family", "data": "name", "criterion": "kind"}
"""Tables that may be written as one name, and the field that the name gives."""


def _merged(defaults: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """`given` over `defaults`, tables within tables too; `data = "moons"` is the short form of a table."""
    merged = dict(defaults)
    for key, value in given.items():
        default = merged.get(key)
        if key in SHORT_FORMS and isinstance(default, str):
            default = {SHORT_FORMS[key]: default}
        merged[key] = _merged(default, value) if isinstance(default, dict) and isinstance(value, dict) else value
    return merged


def _without_nulls(value: Any) -> Any:
    """TOML has no null: a field left out takes its default, which is null wherever null was allowed."""
    if isinstance(value, dict):
        return {key: _without_nulls(inner) for key, inner in value.items() if inner is not None}
    if isinstance(value, list):
        return [_without_nulls(inner) for inner in value]
    return value


class TomlLines:
    """The lines of a study file, and the tables that they belong to."""

    def __init__(self, text: str) -> None:
        self._lines = [line.split("#")[0] for line in text.splitlines()]
        # (name of the top-level table, number of its first line); [problems.recipe] belongs to its [[problems]].
        self._headers = [
            (match[1], number)
            for number, line in enumerate(self._lines)
            if (match := re.match(r"\s*\[{1,2}\s*(\w+)\s*\]", line))
        ]

    def of_key(self, key: str) -> int | None:
        """The line, counted from 1, that sets a top-level key or opens a table of that name."""
        pattern = re.compile(rf"\s*(\[+\s*)?[\"']?{re.escape(key)}[\"']?\s*(=|\]|\.)")
        return next((number for number, line in enumerate(self._lines, 1) if pattern.match(line)), None)

    def of_error(self, error: InvalidValue, table: str, k: int = 0) -> int | None:
        """The line that writes what an error is about: in the (k+1)-th table of that name, else in the defaults.

        An unknown name is looked for first, then the field; where neither is written, it is the header of the table.
        """
        regions = [region for region in (self._region(table, k), self._region("defaults", 0)) if region is not None]
        patterns = [rf"(?<![\w.-]){re.escape(str(error.value))}(?![\w-])"] if isinstance(error, UnknownName) else []
        # "recipe.epochs" or "data.depths.0": the innermost part that is written in the file.
        fields = [part for part in reversed(error.path.split(".")) if part and not part.isdigit()]
        patterns += [rf"(?<![\w-]){re.escape(field)}[\"']?\s*=" for field in fields]
        patterns += [rf"\[\[?[\w.]*\b{re.escape(field)}\]" for field in fields]
        for pattern in patterns:
            for first, last in regions:
                for number in range(first, last):
                    if re.search(pattern, self._lines[number]):
                        return number + 1
        return regions[0][0] + 1 if regions else None

    def _region(self, table: str, k: int) -> tuple[int, int] | None:
        starts = [index for index, (name, _) in enumerate(self._headers) if name == table]
        if k >= len(starts):
            return None
        following = starts[k] + 1
        end = self._headers[following][1] if following < len(self._headers) else len(self._lines)
        return self._headers[starts[k]][1], end
