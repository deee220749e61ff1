"""The store as its users see it: open it, open a study in it, list, read and delete studies."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Self

import optuna
from optuna.exceptions import DuplicatedStudyError
from optuna.storages import RDBStorage
from optuna.study import StudyDirection
from sqlalchemy import Engine, delete, insert, select, update
from sqlalchemy.engine import URL

from depthsearch.errors import InvalidValue, StoreUnavailable, StudyBusy, StudyConflict, StudyDamaged, StudyNotFound
from depthsearch.interrupts import interrupts_deferred
from depthsearch.problem.problem import Problem
from depthsearch.search.optuna_internals import delete_study_rows, study_names
from depthsearch.search.settings import ResolvedSettings
from depthsearch.store.claims import claim, opening
from depthsearch.store.database import check_file, open_database, reading, said_of
from depthsearch.store.errors import damage_said
from depthsearch.store.study import StoredStudy
from depthsearch.store.summary import DESCRIPTIONS, StudySummary, differences, summary_of
from depthsearch.store.tables import RUNS, STUDIES
from depthsearch.store.urls import resolve_url, sqlite_file

LONGEST_NAME, MOST_NAMED = 100, 8


def open_store(url: str | None = None, *, create: bool = True, writes: bool = True) -> "Store":
    """The store at a URL: by default that of DEPTHSEARCH_STORAGE, or depthsearch.db in the working folder.

    Args:
        url: sqlite:///FILE.db or postgresql+psycopg://...
        create: Whether a SQLite file that is missing is made.
        writes: Whether what is opened can be written to, once its tables are up to date.

    Raises:
        InvalidValue: The URL cannot be used.
        StoreUnavailable: The database is missing, cannot be opened or written, or is not a database.
        NewerStore: It was written by a newer depthsearch or Optuna.
    """
    resolved = resolve_url(url)
    file = sqlite_file(resolved)
    shown = resolved.render_as_string(hide_password=True)
    try:
        with said_of(shown):
            if file is not None:
                check_file(file, shown, ours=not create)
            with opening(resolved):
                return Store(open_database(resolved, writes=writes), resolved)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise StoreUnavailable(f"storage {shown!r} cannot be used: {reason}; choose another file") from None


class Store:
    """An open store, closed at the end of a `with` block. All that is in it outlives the process that wrote it."""

    def __init__(self, storage: RDBStorage, url: URL) -> None:
        self._storage, self._url = storage, url
        self._file = sqlite_file(url)
        self._opened = self._mark()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with interrupts_deferred():  # a second Ctrl-C would leave a traceback of the connection pool's
            self._engine.dispose()

    @property
    def url(self) -> str:
        """Where it is, without a password."""
        return self._url.render_as_string(hide_password=True)

    @property
    def optuna_storage(self) -> RDBStorage:
        """Optuna's own, over the same database."""
        return self._storage

    @property
    def _engine(self) -> Engine:
        return self._storage.engine

    def check_kept(self) -> None:
        """Raise StoreUnavailable where the database file is no longer the one that was opened.

        A file that was deleted can still be written to, and all of it is lost in the end.
        """
        if self._mark() != self._opened:
            raise StoreUnavailable(
                f"storage {self.url!r} was deleted or replaced during the search: what was searched since is lost; "
                "the same command searches it again"
            )

    def _mark(self) -> tuple[int, int] | None:
        if self._file is None:
            return None
        try:
            status = self._file.stat()
        except OSError:
            return (0, 0)
        return status.st_dev, status.st_ino

    def errors_said(self) -> AbstractContextManager[None]:
        """A block in which every error of the database is said in one line (StoreUnavailable)."""
        return said_of(self.url)

    def studies(self) -> list[StudySummary]:
        """Every study that depthsearch wrote, oldest first; `damaged` has those that cannot be read.

        Studies of Optuna's other users are left out.
        """
        return [found for _, found in self._described() if isinstance(found, StudySummary)]

    def damaged(self) -> dict[str, StudyDamaged]:
        """By name, the studies whose description cannot be read, and why."""
        return {name: found for name, found in self._described() if isinstance(found, StudyDamaged)}

    def _described(self) -> list[tuple[str, StudySummary | StudyDamaged]]:
        """One that is damaged is told as such, and keeps nobody from the others."""
        with said_of(self.url):
            names = self._names()
            with reading(), self._engine.connect() as connection:
                rows = connection.execute(DESCRIPTIONS).all()
        return [(names[row.study_id], summary_of(row, names[row.study_id])) for row in rows if row.study_id in names]

    def _names(self) -> dict[int, str]:
        """Of every study by its number, of Optuna's other users too; nothing else of them is read."""
        with reading(), self._engine.connect() as connection:
            return study_names(connection)

    def summary(self, name: str) -> StudySummary:
        """The study of that name.

        Raises:
            StudyNotFound: There is none.
            StudyDamaged: Its description cannot be read.
        """
        described = dict(self._described())
        match described.get(name):
            case StudySummary() as found:
                return found
            case StudyDamaged() as error:
                raise error
        raise self._not_found(name, list(described))

    def _not_found(self, name: str, held: list[str]) -> StudyNotFound:
        more = f" and {len(held) - MOST_NAMED} more" if len(held) > MOST_NAMED else ""
        known = ", ".join(held[-MOST_NAMED:]) or "none yet"
        return StudyNotFound(f"there is no study {name!r} in {self.url}: it holds {known}{more}")

    def check_held(self, name: str) -> int:
        """The number of the study of that name, whether or not it can be read.

        Raises:
            StudyNotFound: There is none.
        """
        with said_of(self.url):
            names = self._names()
            with self._engine.connect() as connection:
                ours = connection.execute(select(STUDIES.c.study_id).order_by(STUDIES.c.study_id)).scalars().all()
        held: dict[str, int] = {names[study_id]: study_id for study_id in ours if study_id in names}
        if name not in held:
            raise self._not_found(name, list(held))
        return held[name]

    def read_study(self, name: str) -> StoredStudy:
        """A study to read from; whoever searches it may go on meanwhile.

        Raises:
            StudyNotFound: There is none of that name.
        """
        summary = self.summary(name)
        with said_of(self.url):
            return self._stored_study(summary.name, summary.problem, summary.settings, version=summary.version)

    @contextmanager
    def open_study(
        self, problem: Problem, settings: ResolvedSettings, *, name: str | None = None, fresh: bool = False
    ) -> Iterator[StoredStudy]:
        """The study that these ask for, found again or made, held for the block against other processes.

        It is known by the problem's fingerprint, the root seed and the reliability. Its other settings become
        those given here, except the sampler. Trials that a dead process left running before their seeds were stored are
        failed.

        Args:
            problem: What is asked.
            settings: How it is searched.
            name: Its name; by default one made from the problem.
            fresh: Start a new study although there is one already.

        Raises:
            StudyConflict: The study of that name asks something else, or was searched with another sampler, or
                `fresh` was asked for and the name is taken.
            StudyBusy: Another process is searching it.
            StudyDamaged: It cannot be read.
        """
        if name is not None:
            check_name(name)
        with ExitStack() as held:
            with said_of(self.url):
                chosen = self._claim(held, problem, settings, name, fresh)
                study = self._find_or_make(chosen, problem, settings)
                with damage_said(study.name):
                    study.fail_unseeded()
            yield study

    def delete_study(self, name: str) -> None:
        """Delete a study and all that was recorded of it, in one transaction; nothing of it is read, so damage is none.

        Raises:
            StudyNotFound: There is none of that name.
            StudyBusy: A process is searching it.
        """
        study_id = self.check_held(name)
        with said_of(self.url), claim(self._engine, self._url, name), self._engine.begin() as connection:
            for table in (RUNS, STUDIES):
                connection.execute(delete(table).where(table.c.study_id == study_id))
            delete_study_rows(connection, study_id)

    def _claim(
        self, held: ExitStack, problem: Problem, settings: ResolvedSettings, name: str | None, fresh: bool
    ) -> str:
        """Choose the study's name and hold its lock."""
        if name is not None:
            held.enter_context(claim(self._engine, self._url, name))
            if fresh and any(study.name == name for study in self.studies()):
                raise StudyConflict(f"study {name!r} exists already: give another --study, or leave out --fresh")
            return name
        identity = settings.identity(problem.question())
        studies = self.studies()
        same = [study.name for study in studies if study.identity == identity]
        if same and not fresh:
            held.enter_context(claim(self._engine, self._url, same[-1]))
            return same[-1]
        taken = set(self._names().values())
        parts = [*problem.network.label.split(), problem.data.name, identity[:8]]
        base, k = "-".join(parts), 1
        while True:
            candidate = base if k == 1 else f"{base}-{k}"
            k += 1
            if candidate in taken and (fresh or any(study.name == candidate for study in studies)):
                continue
            try:
                held.enter_context(claim(self._engine, self._url, candidate))
            except StudyBusy:
                if not fresh:
                    raise
                continue
            return candidate

    def _find_or_make(self, name: str, problem: Problem, settings: ResolvedSettings) -> StoredStudy:
        try:
            with _without_optunas_report():
                optuna.create_study(storage=self._storage, study_name=name, direction="maximize")
        except DuplicatedStudyError:
            self._check(name, problem, settings)
        study = self._stored_study(name, problem, settings)
        began = version("depthsearch")
        values = {
            "identity": settings.identity(problem.question()),
            "fingerprint": problem.question(),
            "problem": problem.canonical_json(),
            "settings": settings.canonical_json(),
        }
        with self._engine.begin() as connection:
            query = select(STUDIES.c.settings, STUDIES.c.version).where(STUDIES.c.study_id == study.study_id)
            known = connection.execute(query).one_or_none()
            if known is None:
                row = values | {"study_id": study.study_id, "created": datetime.now(UTC), "version": began}
                connection.execute(insert(STUDIES).values(row))
            elif known.settings != values["settings"]:
                connection.execute(update(STUDIES).where(STUDIES.c.study_id == study.study_id).values(values))
        return replace(study, version=began if known is None else known.version)

    def _check(self, name: str, problem: Problem, settings: ResolvedSettings) -> None:
        """Raise where the study of that name is not the one asked for."""
        found = dict(self._described()).get(name)
        if isinstance(found, StudyDamaged):
            raise found
        if found is None:
            # Made by us a moment before a crash, or by somebody else: only an empty one can be ours.
            study = optuna.load_study(study_name=name, storage=self._storage)
            if study.get_trials(deepcopy=False) or study.directions != [StudyDirection.MAXIMIZE]:
                raise StudyConflict(f"study {name!r} was not written by depthsearch: give another --study")
            return
        if found.problem.criterion.kind == "held":
            raise StudyConflict(
                f"study {name!r} was judged by the rule of an earlier version and can be read, not resumed: give "
                "another --study, or leave --study out"
            )
        differing = differences(found, problem, settings)
        if differing:
            raise StudyConflict(
                f"study {name!r} asks something else ({differing}): give another --study, or leave --study out"
            )
        if found.settings.sampler != settings.sampler:
            raise StudyConflict(
                f"study {name!r} was searched with the sampler {found.settings.sampler!r} and cannot go on with "
                f"{settings.sampler!r}: give another --study, or leave --study out"
            )

    def _stored_study(
        self, name: str, problem: Problem, settings: ResolvedSettings, *, version: str | None = None
    ) -> StoredStudy:
        study = optuna.load_study(study_name=name, storage=self._storage)
        return StoredStudy(study, problem, settings, self._storage, version)


@contextmanager
def _without_optunas_report() -> Iterator[None]:
    """Keep Optuna from telling on standard error what our own events tell."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)


def check_name(name: str) -> None:
    """Refuse a study's name that cannot be told from others, or not be printed.

    Raises:
        InvalidValue: It is empty, longer than 100 characters, holds what is not printable, or begins as an option does.
    """
    if name.startswith("-"):
        raise InvalidValue(f"study must not begin with a dash, which commands take for an option, but got {name!r}")
    if not name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
        shown = name if len(name) <= LONGEST_NAME else f"{name[:20]}..."
        raise InvalidValue(f"study must be named with 1 to {LONGEST_NAME} printable characters, but got {shown!r}")
