"""The store as its users see it: open it, open a study in it, list, read and delete studies."""

import itertools
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Self

import optuna
from optuna.exceptions import DuplicatedStudyError
from optuna.storages import RDBStorage
from optuna.study import StudyDirection
from sqlalchemy import Engine, delete, insert, select, update
from sqlalchemy.engine import URL

from depthsearch.errors import StoreUnavailable, StudyBusy, StudyConflict, StudyDamaged, StudyNotFound
from depthsearch.interrupts import interrupts_deferred
from depthsearch.problem.problem import Problem
from depthsearch.search.optuna_internals import delete_study_rows, quiet_optuna, study_key, study_names
from depthsearch.search.settings import ResolvedSettings
from depthsearch.store.claims import Claim, claim, hold_opening_lock
from depthsearch.store.database import open_database, reading
from depthsearch.store.errors import raise_study_damaged, translate_database_errors
from depthsearch.store.location import absolute_url, check_file, file_key, resolve_url, sqlite_file
from depthsearch.store.study import StoredStudy
from depthsearch.store.summary import StudySummary, check_name, check_resumable, read_summaries
from depthsearch.store.tables import RUNS, STUDIES

MOST_NAMED = 8
LONGEST_WORDS = 80
"""Characters of a study's name that come from its problem."""
"""Of the studies in a store, those that a message names."""


def open_store(url: str | None = None, *, create: bool = True, writes: bool = True) -> "Store":
    """The store at a URL: by default that of DEPTHSEARCH_STORAGE, or depthsearch.db in the working directory.

    Args:
        url: sqlite:///FILE.db or postgresql+psycopg://...
        create: Whether a SQLite file that is missing is created.
        writes: Whether the store can be written to, once its tables are up to date.

    Raises:
        InvalidValue: The URL cannot be used.
        StoreUnavailable: The database is missing, cannot be opened or written, or is not a database.
        NewerStore: It was written by a newer depthsearch or Optuna.
    """
    resolved = resolve_url(url)
    file = sqlite_file(resolved)
    shown = resolved.render_as_string(hide_password=True)
    try:
        with translate_database_errors(shown):
            if file is not None:
                check_file(file, shown, exists=not create)
            with hold_opening_lock(resolved):
                return Store(open_database(resolved, writes=writes), resolved)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise StoreUnavailable(f"storage {shown!r} cannot be used: {reason}; choose another file") from None


class Store:
    """An open store, closed at the end of a `with` block. All that is in it outlives the process that wrote it."""

    def __init__(self, storage: RDBStorage, url: URL) -> None:
        self._storage, self._url, self._place = storage, url, absolute_url(url)
        self._file = sqlite_file(self._place)
        self._opened = self._file and file_key(self._file)

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
        """Optuna's storage, over the same database."""
        return self._storage

    @property
    def _engine(self) -> Engine:
        return self._storage.engine

    def check_kept(self) -> None:
        """Raise StoreUnavailable if the database file is no longer the one that was opened.

        A file that was deleted can still be written to, and all of it is lost in the end.
        """
        if self._file is not None and file_key(self._file) != self._opened:
            raise StoreUnavailable(
                f"storage {self.url!r} was deleted or replaced during the search: what was searched since is lost; "
                "the same command searches it again"
            )

    def translate_database_errors(self) -> AbstractContextManager[None]:
        """A block in which errors of the database become StoreUnavailable, in one line."""
        return translate_database_errors(self.url)

    def studies(self) -> list[StudySummary]:
        """Every study that depthsearch wrote, oldest first; `damaged` has those that cannot be read.

        Studies of other users of Optuna are left out.
        """
        return [found for found in self._summaries().values() if isinstance(found, StudySummary)]

    def damaged(self) -> dict[str, StudyDamaged]:
        """By name, the studies whose description cannot be read, and why."""
        return {name: found for name, found in self._summaries().items() if isinstance(found, StudyDamaged)}

    def _summaries(self) -> dict[str, StudySummary | StudyDamaged]:
        with translate_database_errors(self.url), reading(), self._engine.connect() as connection:
            return read_summaries(connection)

    def _names(self) -> dict[int, str]:
        """The name of every study by its number, other users' included; nothing else of them is read."""
        with reading(), self._engine.connect() as connection:
            return study_names(connection)

    def summary(self, name: str) -> StudySummary:
        """The study of that name.

        Raises:
            StudyNotFound: There is none.
            StudyDamaged: Its description cannot be read.
        """
        summaries = self._summaries()
        match summaries.get(name):
            case StudySummary() as found:
                return found
            case StudyDamaged() as error:
                raise error
        raise self._not_found(name, list(summaries))

    def _not_found(self, name: str, names: list[str]) -> StudyNotFound:
        more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
        known = ", ".join(names[-MOST_NAMED:]) or "none yet"
        return StudyNotFound(f"there is no study {name!r} in {self.url}: it holds {known}{more}")

    def read_study(self, name: str) -> StoredStudy:
        """A study to read from; the process that searches it may go on meanwhile.

        Raises:
            StudyNotFound: There is none of that name.
        """
        found = self.summary(name)
        with translate_database_errors(self.url), raise_study_damaged(name):
            study = optuna.load_study(study_name=name, storage=self._storage)
        return StoredStudy(
            study, found.problem, found.settings, self._storage, found.version, question=found.question, code=found.code
        )

    @contextmanager
    def open_study(
        self, problem: Problem, settings: ResolvedSettings, *, name: str | None = None, fresh: bool = False
    ) -> Iterator[StoredStudy]:
        """The study that these ask for, found again or created, claimed for the block against other processes.

        It is found by question, code, root seed, reliability and sampler. Its other settings become those given here.
        Trials that a dead process left running before their seeds were stored fail.

        Args:
            problem: What is asked.
            settings: How it is searched.
            name: Name of the study; by default one made from the problem.
            fresh: Start a new study although there is one already.

        Raises:
            StudyConflict: The study of that name asks something else, or was searched with another sampler, or
                `fresh` is set and the name is taken.
            StudyBusy: Another process is searching it.
            StudyDamaged: It cannot be read.
            ClaimLost: Another process took it over during the block. Every later write of the block raises this.
        """
        if name is not None:
            check_name(name)
        with ExitStack() as stack:
            with translate_database_errors(self.url):
                held = self._claim(stack, problem, settings, name, fresh)
                study = self._find_or_create(held, problem, settings)
                with raise_study_damaged(study.name):
                    study.fail_unseeded()
            yield study

    def delete_study(self, name: str) -> None:
        """Delete a study and all that was recorded of it, in one transaction; it is not read, so it may be damaged.

        Raises:
            StudyNotFound: There is none of that name.
            StudyBusy: A process is searching it.
        """
        with translate_database_errors(self.url):
            study_id = self.study_id(name)
            with claim(self._engine, self._place, name) as held:
                held.take(study_id)
                with self._engine.begin() as connection:
                    for table in (RUNS, STUDIES):
                        connection.execute(delete(table).where(table.c.study_id == study_id))
                    delete_study_rows(connection, study_id)

    def study_id(self, name: str) -> int:
        """The number of the study of that name, whether or not it can be read.

        Raises:
            StudyNotFound: There is none.
        """
        with translate_database_errors(self.url):
            names = self._names()
            with reading(), self._engine.connect() as connection:
                ours = connection.execute(select(STUDIES.c.study_id).order_by(STUDIES.c.study_id)).scalars().all()
        numbers: dict[str, int] = {names[study_id]: study_id for study_id in ours if study_id in names}
        if name not in numbers:
            raise self._not_found(name, list(numbers))
        return numbers[name]

    def _claim(
        self, stack: ExitStack, problem: Problem, settings: ResolvedSettings, name: str | None, fresh: bool
    ) -> Claim:
        """Choose the study's name, and hold its lock until the stack is closed."""
        if name is not None:
            held = stack.enter_context(claim(self._engine, self._place, name))
            if fresh and name in self._summaries():
                raise StudyConflict(f"study {name!r} exists already: a fresh study needs another name")
            return held
        identity = settings.identity(problem.question(), problem.code())
        studies = self.studies()
        same = [study.name for study in studies if study.identity == identity]
        if same and not fresh:
            return stack.enter_context(claim(self._engine, self._place, same[-1]))
        ours, taken = {study.name for study in studies}, set(self._names().values())
        words = re.sub(r"\.py:|[^\w.-]+", "-", " ".join([problem.network.label, problem.data.label])).strip("-")
        base = f"{words[:LONGEST_WORDS]}-{identity[:8]}"
        for number in itertools.count(1):
            candidate = base if number == 1 else f"{base}-{number}"
            if candidate in taken and (fresh or candidate in ours):
                continue
            try:
                return stack.enter_context(claim(self._engine, self._place, candidate))
            except StudyBusy:
                if not fresh:
                    raise
        raise AssertionError("numbers never end")

    def _find_or_create(self, held: Claim, problem: Problem, settings: ResolvedSettings) -> StoredStudy:
        name = held.study
        try:
            with quiet_optuna():
                study = optuna.create_study(storage=self._storage, study_name=name, direction="maximize")
            known = None
        except DuplicatedStudyError:
            study = optuna.load_study(study_name=name, storage=self._storage)
            known = self._checked(study, problem, settings)
        study_id, question, code = study_key(study), problem.question(), problem.code()
        held.take(study_id)
        values = {
            "identity": settings.identity(question, code),
            "question": question,
            "code": code,
            "problem": problem.canonical_json(),
            "settings": settings.canonical_json(),
        }
        began = version("depthsearch") if known is None else known.version
        with self._engine.begin() as connection:
            if known is None:
                # Optuna gives the number of a deleted study again, and may have deleted it without our rows.
                for table in (RUNS, STUDIES):
                    connection.execute(delete(table).where(table.c.study_id == study_id))
                row = values | {"study_id": study_id, "created": datetime.now(UTC), "version": began}
                connection.execute(insert(STUDIES).values(row))
            elif known.settings != settings or known.problem != problem:  # a path may have changed
                connection.execute(update(STUDIES).where(STUDIES.c.study_id == study_id).values(values))
        return StoredStudy(study, problem, settings, self._storage, began, question=question, code=code)

    def _checked(self, study: optuna.Study, problem: Problem, settings: ResolvedSettings) -> StudySummary | None:
        """The description of an existing study that this search may go on with; None if it has none yet.

        Raises:
            StudyConflict: It is another study.
            StudyDamaged: It cannot be read.
        """
        match self._summaries().get(study.study_name):
            case StudyDamaged() as error:
                raise error
            case StudySummary() as found:
                check_resumable(found, problem, settings)
                return found
        # Created by us a moment before a crash, or by another user of Optuna: only an empty one can be ours.
        if study.get_trials(deepcopy=False) or study.directions != [StudyDirection.MAXIMIZE]:
            raise StudyConflict(f"study {study.study_name!r} was not written by depthsearch: give another name")
        return None
