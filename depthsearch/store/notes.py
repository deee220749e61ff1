"""The note on a study's page of optuna-dashboard, in the dashboard's format, written without the dashboard.

It is kept in system attributes of the study: a version, and the text in pieces.
"""

import json

from optuna.storages import RDBStorage
from optuna.storages._rdb.models import StudySystemAttributeModel
from optuna.storages._rdb.storage import _create_scoped_session

VERSION, PIECES = "dashboard:note_ver", "dashboard:note_str:"
LONGEST_PIECE = 2045
HEADING = "#### depthsearch\n\n"
"""A note that begins otherwise is somebody else's, and stays."""


def write_note(storage: RDBStorage, study_id: int, text: str) -> None:
    """Make `text`, in Markdown, the study's note, in one transaction; nothing is written where it stands already."""
    body = HEADING + text
    with _create_scoped_session(storage.scoped_session) as session:
        rows = {str(row.key): row for row in StudySystemAttributeModel.where_study_id(study_id, session)}
        found = {key: json.loads(str(row.value_json)) for key, row in rows.items() if key.startswith("dashboard:note_")}
        before = "".join(found[f"{PIECES}{k}"] for k in range(sum(key.startswith(PIECES) for key in found)))
        if before == body or (before and not before.startswith(HEADING)):
            return
        pieces = {f"{PIECES}{k}": piece for k, piece in enumerate(_pieces(body))}
        emptied = {key: "" for key in found if key.startswith(PIECES) and key not in pieces}
        for key, value in {VERSION: found.get(VERSION, 0) + 1, **pieces, **emptied}.items():
            if key in rows:
                rows[key].value_json = json.dumps(value)
            else:
                session.add(StudySystemAttributeModel(study_id=study_id, key=key, value_json=json.dumps(value)))


def _pieces(body: str) -> list[str]:
    return [body[start : start + LONGEST_PIECE] for start in range(0, len(body), LONGEST_PIECE)]
