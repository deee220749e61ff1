"""What a page says of a study, read from the store: its answer with its runs, or why there is none."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version

from depthsearch.core.answer import Answer
from depthsearch.core.comparison import Compared, Comparison
from depthsearch.core.curve import CurvePoint
from depthsearch.core.errors import InvalidValue, StoreUnavailable, StudyNotFound
from depthsearch.core.study_file import Reported, StudyFile
from depthsearch.families import family_of
from depthsearch.finder import answer_of, read_checked
from depthsearch.finder.answering import probabilities_at
from depthsearch.store import Store, StoredRun, StoredStudy


@dataclass(frozen=True)
class StudyReport:
    """One study, as a page shows it.

    Attributes:
        name: By which the page calls it: the study's own, or the problem's in a study file.
        answer: What is known; None where the study cannot be read.
        runs: Of its finished trials.
        under_way: Trials that were begun and are not finished.
        failed: Trials that failed, as where a process died; a search tries their depths again.
        reported: What a study file says of it.
        measured: P(trained) at the single depths that were reported.
        damage: Why it cannot be read.
        older: That another version of depthsearch began it, in words; empty where it was this one.
    """

    name: str
    answer: Answer | None
    runs: tuple[StoredRun, ...] = ()
    under_way: int = 0
    failed: int = 0
    reported: Reported | None = None
    measured: tuple[CurvePoint, ...] = ()
    damage: str = ""
    older: str = ""


def read_studies(store: Store, names: Sequence[str]) -> list[StudyReport]:
    """The studies of these names, each once.

    Raises:
        StudyNotFound: The store holds none of a name.
    """
    return [_read(store, name, called=name) for name in dict.fromkeys(names)]


def read_declared_studies(store: Store, declared: StudyFile) -> list[StudyReport]:
    """The studies that `compare` made of a study file, under its names and with what it says was reported.

    Raises:
        StudyNotFound: A problem has not been searched.
    """
    summaries = store.studies()
    reports = []
    for entry in declared.problems:
        family = family_of(entry.problem.family)
        question = entry.problem.fingerprint()
        identity = declared.settings.resolved(reliability=family.reliability).identity(question)
        made = [summary.name for summary in summaries if summary.identity == identity]
        # Searched with other settings than the file's, as with another --seed: the newest such search.
        made = made or [summary.name for summary in summaries if summary.problem.fingerprint() == question]
        if not made:
            raise StudyNotFound(
                f"problem {entry.name!r} has no study in {store.url}: search it first, with `depthsearch compare`"
            )
        reports.append(_read(store, made[-1], called=entry.name, reported=entry.reported))
    return reports


def comparison_of(reports: Sequence[StudyReport], *, title: str = "", source: str = "") -> Comparison:
    """Those studies side by side of which anything is known."""
    return Comparison(
        title=title,
        source=source,
        compared=tuple(
            Compared(name=own.name, answer=own.answer, reported=own.reported, measured=own.measured)
            for own in reports
            if own.answer is not None and own.answer.curve
        ),
    )


def _read(store: Store, study: str, *, called: str, reported: Reported | None = None) -> StudyReport:
    try:
        with store.errors_said():
            stored = store.read_study(study)
            trials, runs = read_checked(stored)
            states = [trial.state for trial in trials]
            return StudyReport(
                name=called,
                answer=answer_of(stored),
                runs=tuple(runs),
                under_way=sum(not state.is_finished() for state in states),
                failed=sum(state.name == "FAIL" for state in states),
                reported=reported,
                measured=probabilities_at(stored, [row.depth for row in reported.rows]) if reported else (),
                older=_older(stored),
            )
    except StudyNotFound:
        raise
    except StoreUnavailable as error:
        return StudyReport(name=called, answer=None, damage=str(error))
    except (ValueError, LookupError, InvalidValue) as error:
        # Whatever other hands changed in the store comes out as one of these.
        reason = " ".join(str(error).split())
        return StudyReport(name=called, answer=None, damage=f"what is stored of it is damaged ({reason})")


def _older(stored: StoredStudy) -> str:
    """Verdicts are stored, and a later version's rules may say otherwise."""
    ours = version("depthsearch")
    if stored.version == ours:
        return ""
    began = (
        "a depthsearch that did not record its version" if stored.version is None else f"depthsearch {stored.version}"
    )
    return f"Begun with {began}, and written here by {ours}: its runs keep the verdicts that were given then."
