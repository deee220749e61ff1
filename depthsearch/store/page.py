"""The note and the plot on a study's page of optuna-dashboard, written in its format; it is not imported.

Both are system attributes of the study, and every page of the dashboard loads those of all studies: the text in pieces
and, for a note, a version.
"""

import json
from collections.abc import Iterator, Mapping

from optuna.storages import RDBStorage

from depthsearch.search.optuna_internals import change_system_attributes

VERSION, PIECES, PLOT_PIECES = "dashboard:note_ver", "dashboard:note_str:", "dashboard:plot_data:depthsearch:"
LONGEST_PIECE = 2045
HEADING = "#### depthsearch\n\n"
"""A note without this heading was written by somebody else, and stays."""


def write_page(storage: RDBStorage, study_id: int, *, note: str, plot: str) -> None:
    """Make `note` the study's note and `plot` its plot, in one transaction. Only what changed is written.

    Args:
        storage: Optuna's.
        study_id: The study's number in it.
        note: In Markdown, without a heading.
        plot: A plotly figure as JSON; empty for none.
    """

    def change(stored: Mapping[str, str]) -> dict[str, object]:
        found = {key: _value(text) for key, text in stored.items() if key.startswith("dashboard:")}
        return {**_changed_note(found, HEADING + note), **_changed(found, PLOT_PIECES, plot)}

    change_system_attributes(storage, study_id, change)


def _changed_note(found: Mapping[str, object], body: str) -> dict[str, object]:
    before = _joined(found, PIECES)
    if before and not before.startswith(HEADING):
        return {}
    pieces = _changed(found, PIECES, body)
    version = found.get(VERSION)
    return {VERSION: version + 1 if isinstance(version, int) else 1, **pieces} if pieces else {}


def _changed(found: Mapping[str, object], prefix: str, body: str) -> dict[str, object]:
    """The attributes to write so that the pieces hold `body`; pieces that it no longer needs are emptied."""
    if _joined(found, prefix) == body:
        return {}
    emptied = dict.fromkeys((key for key in found if key.startswith(prefix)), "")
    return {**emptied, **{f"{prefix}{k}": piece for k, piece in enumerate(_pieces(body))}}


def _joined(found: Mapping[str, object], prefix: str) -> str:
    return "".join(str(found.get(f"{prefix}{k}", "")) for k in range(sum(key.startswith(prefix) for key in found)))


def _value(text: str) -> object:
    """The attribute's value; one that cannot be read counts as empty, so that it is written again."""
    try:
        return json.loads(text)
    except ValueError:
        return ""


def _pieces(body: str) -> Iterator[str]:
    return (body[start : start + LONGEST_PIECE] for start in range(0, len(body), LONGEST_PIECE))
