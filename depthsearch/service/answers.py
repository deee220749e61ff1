"""Answers in optuna-dashboard: its best trial is the one at max depth, and its list says in what studies differ.

By itself the dashboard calls the deepest trial that was tried the best, whether or not its networks trained.
"""

import json
import re
from collections.abc import Callable, Iterable
from threading import Lock
from typing import TYPE_CHECKING, Any

from depthsearch.errors import DepthsearchError, StudyNotFound
from depthsearch.reporting.labels import labels
from depthsearch.search.sampler import INFEASIBLE
from depthsearch.search.trial import DEPTH, PURPOSE, Purpose
from depthsearch.store import Store
from depthsearch.workflows.answer import answer_of

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

LIST, STUDY = re.compile(r"/api/studies/?"), re.compile(r"/api/studies/\d+/?")


class WithAnswers:
    """A WSGI application that changes what the dashboard's API says of the studies of depthsearch.

    Of one study, the best trial is a trial at max depth, none where there is no max depth; deeper trials are
    infeasible. In the list of studies, each name is followed by a label of the study.

    Args:
        application: The dashboard.
        store: The store that it shows.
    """

    def __init__(self, application: "WSGIApplication", store: Store) -> None:
        self._application, self._store = application, store
        self._lock = Lock()
        self._depths: dict[str, tuple[object, int | None]] = {}
        self._labels: tuple[object, dict[str, str]] = (None, {})

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer one request."""
        path = environ.get("PATH_INFO", "")
        if environ["REQUEST_METHOD"] == "GET" and LIST.fullmatch(path):
            return self._changed(environ, start_response, self._label_studies)
        if environ["REQUEST_METHOD"] == "GET" and STUDY.fullmatch(path):
            after = re.search(r"(?:^|&)after=(\d+)(?:&|$)", environ.get("QUERY_STRING", ""))
            first = int(after[1]) if after else 0

            def change(study: dict[str, Any]) -> None:
                self._answer_study(study)
                study["trials"] = study["trials"][first:]

            # The best trial may be any: all are asked for.
            return self._changed(environ | {"QUERY_STRING": "after=0"}, start_response, change)
        return self._application(environ, start_response)

    def _changed(
        self, environ: "WSGIEnvironment", start_response: "StartResponse", change: Callable[[dict[str, Any]], None]
    ) -> Iterable[bytes]:
        """The dashboard's response, its JSON changed where it succeeds."""
        answered: list[Any] = []

        def remember(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], object]:
            answered[:] = [status, headers, exc_info]
            return lambda _data: None

        body = b"".join(self._application(environ, remember))
        status, headers, exc_info = answered
        if status.startswith("200"):
            value = json.loads(body)
            change(value)
            body = json.dumps(value).encode()
        kept = [(name, text) for name, text in headers if name.lower() != "content-length"]
        start_response(status, [*kept, ("Content-Length", str(len(body)))], exc_info)
        return [body]

    def _answer_study(self, study: dict[str, Any]) -> None:
        complete = [trial for trial in study["trials"] if trial["state"] == "Complete"]
        try:
            found = self._max_depth(study["name"], [trial["trial_id"] for trial in complete])
        except StudyNotFound:
            return  # Optuna's other users share the database
        at_max_depth = []
        for trial in study["trials"]:
            depth = _depth(trial)
            if depth is not None and _is_ladder(trial):
                trial["constraints"] = [INFEASIBLE]
                continue
            if depth is not None:
                trial["constraints"] = [float(1 if found is None else depth - found)]
            if trial["state"] == "Complete" and found is not None and depth == found:
                at_max_depth.append(trial)
        study["best_trials"] = at_max_depth[-1:]

    def _max_depth(self, name: str, complete: list[int]) -> int | None:
        """Of a study by its finished trials; none where it cannot be read."""
        with self._lock:
            known = self._depths.get(name)
            if known is None or known[0] != complete:
                try:
                    found = answer_of(self._store.read_study(name)).max_depth
                except StudyNotFound:
                    raise
                except DepthsearchError:
                    found = None
                known = self._depths[name] = complete, found
            return known[1]

    def _label_studies(self, listed: dict[str, Any]) -> None:
        rows = listed["study_summaries"]
        with self._lock:
            names = [row["study_name"] for row in rows]
            if self._labels[0] != names:
                self._labels = names, self._current_labels()
            found = self._labels[1]
        for row in rows:
            label = found.get(row["study_name"])
            if label is not None:
                row["study_name"] = f"{row['study_name']}: {label}"

    def _current_labels(self) -> dict[str, str]:
        try:
            studies = self._store.studies()
        except DepthsearchError:
            return {}
        named = labels([(study.problem, study.settings) for study in studies])
        return {study.name: label for study, label in zip(studies, named, strict=True)}


def _is_ladder(trial: dict[str, Any]) -> bool:
    """Whether the trial only set the bar: its depth is no answer."""
    values = {attribute["key"]: attribute["value"] for attribute in trial["user_attrs"]}
    return any(values.get(PURPOSE) == purpose.value for purpose in Purpose if purpose.is_ladder)


def _depth(trial: dict[str, Any]) -> int | None:
    for parameter in trial["params"]:
        if parameter["name"] == DEPTH:
            return int(float(parameter["param_external_value"]))
    return None
