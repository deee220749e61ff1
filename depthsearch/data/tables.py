"""Tables in files, CSV and Parquet: one column is the target, the others are numbers."""

import warnings
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from depthsearch.data.file_source import Chunks, FileContents, FileSource, Part
from depthsearch.data.files import existing_file, translate_file_errors
from depthsearch.data.targets import TargetColumn, TargetTask
from depthsearch.errors import InvalidValue, UnreadableData
from depthsearch.schema import quoted

if TYPE_CHECKING:
    import pandas as pd

MOST_ROWS, CELLS = 1 << 16, 1 << 21
"""Rows, and cells, that are read at a time."""

SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}
"""Of columns in other tables: a first line with one of them and without a comma is none of a table with commas."""

MOST_NAMED = 20
"""Columns that a message lists."""


class Table(FileSource):
    """A table in a file; every column but the target is a feature, and holds numbers, or true and false.

    Attributes:
        target: Column that is predicted.
        task: What is learned: classification or regression. By default regression where the targets are fractions.
    """

    target: str | None = None
    task: TargetTask | None = None

    def files(self) -> Mapping[str, Path]:
        """The one file."""
        return {"file": existing_file(self.path)}

    @abstractmethod
    def columns(self, file: Path) -> list[str]:
        """The names of the columns."""

    @abstractmethod
    def frames(self, file: Path, rows: int) -> Iterator["pd.DataFrame"]:
        """The table, so many rows at a time."""

    def read(self) -> FileContents:
        """The features [rows, columns], as chunks of a few rows, so that little more than they lie in memory."""
        file = existing_file(self.path)
        columns = self.columns(file)
        features = [column for column in columns if column != self._target_of(file, columns)]
        if not features:
            raise UnreadableData(file, f"holds no column besides the target {self.target!r}")
        target = TargetColumn(file, str(self.target), self.task)
        chunks: Chunks = []
        done = 0
        for frame in self.frames(file, max(1, min(MOST_ROWS, CELLS // len(columns)))):
            if frame.empty:
                continue
            target.add(frame[self.target], texts_are_numbers=isinstance(self, CsvFile))
            chunks.append(_numbers(file, frame[features], done))
            done += len(frame)
        if not done:
            raise UnreadableData(file, "holds no rows")
        y, classes = target.values()
        return FileContents(Part(chunks, y), None, classes)

    def _target_of(self, file: Path, columns: list[str]) -> str:
        if self.target in columns:
            return self.target
        named = [column if column.isprintable() else repr(column) for column in columns[:MOST_NAMED]]
        names = ", ".join(named) + (f" and {len(columns) - MOST_NAMED} more" if len(columns) > MOST_NAMED else "")
        expected = f"a column of {file}: accepted: {names}"
        reason = f"must be {expected}, but got {self.target!r}" if self.target else f"is missing: it names {expected}"
        raise InvalidValue(reason, path="data.target", value=self.target, expected=expected)


class CsvFile(Table):
    """A table of comma-separated values, in UTF-8, with the names of the columns in its first line; gzipped or not."""

    endings: ClassVar[tuple[str, ...]] = (".csv", ".csv.gz")

    name: Literal["csv"] = "csv"

    def columns(self, file: Path) -> list[str]:
        """As in the first line."""
        import pandas as pd  # noqa: PLC0415 - takes a while to import

        with _translate_pandas_errors(file):
            names = list(pd.read_csv(file, nrows=0, index_col=False).columns)
        found = next((name for mark, name in SEPARATORS.items() if mark in names[0]), None) if len(names) == 1 else None
        if found is not None:
            raise UnreadableData(file, f"separates its columns by {found}, {quoted(names[0])}: commas are due")
        return names

    def frames(self, file: Path, rows: int) -> Iterator["pd.DataFrame"]:
        """The target's column as text."""
        import pandas as pd  # noqa: PLC0415

        kinds = {str(self.target): str}
        with (
            _translate_pandas_errors(file),
            pd.read_csv(file, chunksize=rows, dtype=kinds, index_col=False) as reader,
        ):
            yield from reader


class ParquetFile(Table):
    """A table in Apache Parquet; texts and categories are classes."""

    endings: ClassVar[tuple[str, ...]] = (".parquet",)

    name: Literal["parquet"] = "parquet"

    def columns(self, file: Path) -> list[str]:
        """As in the file's schema, without a stored index."""
        with _translate_pandas_errors(file), _parquet(file) as table:
            return [str(column) for column in table.schema_arrow.empty_table().to_pandas().columns]

    def frames(self, file: Path, rows: int) -> Iterator["pd.DataFrame"]:
        """The columns with the types that the file gives them."""
        with _translate_pandas_errors(file), _parquet(file) as table:
            for batch in table.iter_batches(batch_size=rows):
                yield batch.to_pandas()


def _parquet(file: Path) -> Any:
    try:
        from pyarrow import parquet  # noqa: PLC0415 - an extra
    except ImportError:
        raise InvalidValue(f"{file} is Parquet, which needs pyarrow: pip install 'depthsearch[parquet]'") from None
    return parquet.ParquetFile(file)


@contextmanager
def _translate_pandas_errors(file: Path) -> Iterator[None]:
    """A block in which pandas or pyarrow read a file."""
    from pandas.errors import EmptyDataError, ParserError, ParserWarning  # noqa: PLC0415

    with translate_file_errors(file), warnings.catch_warnings():
        warnings.simplefilter("error", ParserWarning)
        try:
            yield
        except EmptyDataError:
            raise UnreadableData(file, "is empty") from None
        except UnicodeDecodeError as error:
            raise UnreadableData(file, f"is no text in UTF-8: {error.reason} at byte {error.start}") from None
        except ParserWarning:
            raise UnreadableData(file, "is damaged: its rows are longer than its first line") from None
        except (ParserError, ValueError) as error:
            reason = " ".join(str(error).split()).removeprefix("Error tokenizing data. C error: ")
            raise UnreadableData(file, f"is damaged: {reason}") from None


def _numbers(file: Path, frame: "pd.DataFrame", done: int) -> NDArray[np.float32]:
    """[rows, columns] of some rows of a table, after so many others."""
    import pandas as pd  # noqa: PLC0415

    for column, kind in frame.dtypes.items():
        if not pd.api.types.is_numeric_dtype(kind) or pd.api.types.is_complex_dtype(kind):
            values = frame[column].dropna()
            words = values[pd.to_numeric(values.astype(str), errors="coerce").isna()]
            shown = quoted((words if len(words) else values).astype(str).iloc[0]) if len(values) else "nothing"
            reason = f"holds {shown} in column {column!r}: every column but the target must hold numbers"
            raise UnreadableData(file, reason)
    with np.errstate(over="ignore"):
        numbers = frame.to_numpy(np.float32, na_value=np.nan)
    bad = np.argwhere(~np.isfinite(numbers))
    if len(bad):
        row, column = (int(k) for k in bad[0])
        value = frame.iloc[row, column]
        shown = "no number" if pd.isna(value) else str(value)
        raise UnreadableData(file, f"holds {shown} in row {done + row + 1} of column {frame.columns[column]!r}")
    return np.ascontiguousarray(numbers)
