"""Labels of studies that are shown together: what they have in common is left out, what differs is named."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from depthsearch.problem.problem import Problem
from depthsearch.reporting.command_line import entry_words, option_names
from depthsearch.reporting.sentences import in_words
from depthsearch.search.settings import SearchSettings

IDENTITY = ("settings.sampler", "settings.reliability", "settings.seed")
"""Settings that make two searches of one problem different studies."""

Studies = Sequence[tuple[Problem, SearchSettings]]


def labels(studies: Studies, *, leave_out: Collection[str] = ()) -> list[str]:
    """A label for each study: its problem's few words, and the fields in which the studies differ.

    Fields of the problem come first, then the settings that are part of a study's identity; the other settings are
    named only where nothing else distinguishes two studies. A value that the few words hold already is not repeated,
    and neither is one that follows from another field, such as an optimizer's usual learning rate. Studies that differ
    in nothing are numbered: "ffnet tanh on moons (2)".

    Args:
        studies: Each with its problem and its settings.
        leave_out: Paths of fields that are not named, such as "recipe.learning_rate".
    """
    values = [_values(problem, settings) for problem, settings in studies]
    fewest = [_fewest(problem, settings) if len(studies) > 1 else {} for problem, settings in studies]
    differing = [path for path in _differing(values, fewest) if path not in leave_out]
    named = [path for path in differing if not path.startswith("settings.") or path in IDENTITY]
    named = [path for path in named if not _in_words_already(path, studies, values)]
    found = _worded(studies, values, named)
    if len(set(found)) < len(found):
        others = [path for path in differing if path.startswith("settings.") and path not in IDENTITY]
        found = _worded(studies, values, named + others)
    return _numbered(found)


def headings(found: Sequence[str]) -> list[str]:
    """Labels for the columns of one table: the words before the first comma that all of them share are left out.

    "ffnet tanh on moons, init he_normal" and "ffnet relu on moons, init he_normal" become "tanh, init he_normal" and
    "relu, init he_normal"; labels that share all of these words keep only the fields.
    """
    parts = [label.split(", ") for label in found]
    words = [part[0].split() for part in parts]
    if len(words) < 2 or len({len(each) for each in words}) > 1:  # noqa: PLR2004 - one label has nothing to share
        return list(found)
    kept = [place for place in range(len(words[0])) if len({each[place] for each in words}) > 1]
    short = [
        ", ".join(filter(None, [" ".join(each[place] for place in kept), *part[1:]]))
        for each, part in zip(words, parts, strict=True)
    ]
    return short if all(short) else list(found)


def differing_fields(studies: Studies) -> tuple[str, ...]:
    """The paths of the fields in which the studies differ, such as "recipe.epochs"."""
    values = [_values(problem, settings) for problem, settings in studies]
    return tuple(_differing(values, [_fewest(problem, settings) for problem, settings in studies]))


def _values(problem: Problem, settings: SearchSettings) -> dict[str, Any]:
    """Every field by its path."""
    models = {table: getattr(problem, table) for table in Problem.model_fields} | {"settings": settings}
    return {f"{table}.{field}": value for table, model in models.items() for field, value in model}


def _fewest(problem: Problem, settings: SearchSettings) -> dict[str, Any]:
    """The fields that the others do not imply."""
    tables = {table: getattr(problem, table).fewest_fields() for table in Problem.model_fields}
    given = {name: value for name, value in settings if value is not None}
    return {
        f"{table}.{field}": value
        for table, fields in (tables | {"settings": given}).items()
        for field, value in fields.items()
    }


def _differing(values: Sequence[Mapping[str, Any]], fewest: Sequence[Mapping[str, Any]]) -> list[str]:
    paths = dict.fromkeys(path for fields in values for path in fields)
    return [
        path
        for path in paths
        if any(path in fields for fields in fewest)
        and any(fields.get(path) != values[0].get(path) for fields in values)
    ]


def _in_words_already(path: str, studies: Studies, values: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the few words of every problem that has the field hold its value."""
    return all(
        str(fields[path]) in problem.label.split()
        for (problem, _), fields in zip(studies, values, strict=True)
        if fields.get(path) is not None
    )


def _worded(studies: Studies, values: Sequence[Mapping[str, Any]], paths: Sequence[str]) -> list[str]:
    return [
        ", ".join([problem.label, *(field_words(path, fields[path]) for path in paths if fields.get(path) is not None)])
        for (problem, _), fields in zip(studies, values, strict=True)
    ]


def field_words(path: str, value: object) -> str:
    """A field with its value, as an option has them: "epochs 20", "init he_normal", "nesterov", "no nesterov"."""
    name = field_name(path)
    if isinstance(value, bool):
        return name if value else f"no {name}"
    return f"{name} {value_words(value)}"


def field_name(path: str) -> str:
    """What the command line calls a field: "lr" for "recipe.learning_rate"."""
    option = option_names().get(path)
    return in_words(path.rpartition(".")[2]) if option is None else option.removeprefix("--").replace("-", " ")


def value_words(value: object) -> str:
    """A value as it is typed: "0.01", "3,7,14"."""
    if isinstance(value, tuple | list):
        return ",".join(map(value_words, value))
    if isinstance(value, dict):
        return " ".join(entry_words(value))
    return f"{value:g}" if isinstance(value, float) and float(f"{value:g}") == value else str(value)


def _numbered(found: Sequence[str]) -> list[str]:
    seen: Counter[str] = Counter()
    numbered = []
    for label in found:
        seen[label] += 1
        numbered.append(label if seen[label] == 1 else f"{label} ({seen[label]})")
    return numbered
