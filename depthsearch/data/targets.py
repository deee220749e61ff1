"""The column of a table that is predicted: classes or numbers, decided over all of its parts."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from depthsearch.errors import InvalidValue, UnreadableData

if TYPE_CHECKING:
    import pandas as pd

TargetTask: TypeAlias = Literal["classification", "regression"]

MOST_CLASSES = 1000
"""A column of more different values is taken for classes only if the task is given."""

Codes: TypeAlias = NDArray[np.int32]


class TargetColumn:
    """A column of targets that is read part by part.

    Fractions are numbers to predict, everything else is classes, unless the task is given. A column of text and
    fractions, or of more than MOST_CLASSES values that are no fractions, is refused without a task. Neither this nor
    the numbers of the classes, which follow their numerical or alphabetical order, depends on where parts end.

    Args:
        file: Where the column is, for messages.
        name: Of the column.
        task: What is learned; None to decide by the values.
    """

    def __init__(self, file: Path, name: str, task: TargetTask | None) -> None:
        self._file, self._name, self._task = file, name, task
        self._codes: list[Codes] | None = None if task == "regression" else []
        self._numbers: list[NDArray[np.float64]] | None = None if task == "classification" else []
        self._labels: dict[str, int] = {}
        self._text: str | None = None  # the first that is no number
        self._fraction: str | None = None  # the first number that is not whole, or written with a point
        self._rows = 0

    def add(self, part: "pd.Series[Any]", *, texts_are_numbers: bool) -> None:
        """The next part of the column.

        Args:
            part: Its values.
            texts_are_numbers: Whether a text such as "1.5" is a number, as in a file that holds nothing but text.

        Raises:
            UnreadableData: A value is missing or infinite, or no number where numbers are to be predicted.
        """
        import pandas as pd  # noqa: PLC0415 - takes a while to import

        missing = part.isna().to_numpy()
        if missing.any():
            raise UnreadableData(self._file, f"holds no target in {self._place(int(missing.argmax()))}")
        if pd.api.types.is_bool_dtype(part):
            part = part.astype(np.int64)
        if pd.api.types.is_numeric_dtype(part):
            self._add_numbers(part)
        else:
            self._add_texts(part.astype(str), texts_are_numbers)
        self._rows += len(part)

    def _add_numbers(self, part: "pd.Series[Any]") -> None:
        numbers = part.to_numpy()
        if numbers.dtype.kind == "f":
            self._fraction = self._fraction or str(numbers[0])
        self._forget()
        self._keep_numbers(numbers.astype(np.float64))
        self._keep_codes(part)

    def _add_texts(self, part: "pd.Series[Any]", texts_are_numbers: bool) -> None:
        import pandas as pd  # noqa: PLC0415

        codes, found = pd.factorize(part)
        texts = pd.Series(found, dtype=object)
        parsed = pd.to_numeric(texts, errors="coerce") if texts_are_numbers else pd.Series(np.nan, index=texts.index)
        words = texts[parsed.isna()]
        if len(words):
            self._text = self._text if self._text is not None else str(words.iloc[0])
            if self._task == "regression":
                row = int((codes == words.index[0]).argmax())
                reason = f"holds {words.iloc[0]!r} in {self._place(row)}, which is no number to predict"
                raise UnreadableData(self._file, reason)
        written = texts[parsed.notna()]
        fractions = written[written.str.contains("[.eE]|inf", regex=True)]
        if len(fractions) and self._fraction is None:
            self._fraction = str(fractions.iloc[0])
        self._forget()
        if not len(words):
            self._keep_numbers(parsed.to_numpy(np.float64)[codes])
        self._keep_codes(part)

    def _forget(self) -> None:
        """Drop what the values so far show not to be wanted."""
        if self._task is not None:
            return
        if self._text is not None and self._fraction is not None:
            reason = (
                f"must be given: {self._file} holds {self._fraction} and {self._text!r} in column {self._name!r}, "
                "which may be classes or numbers to predict"
            )
            raise InvalidValue(reason, path="data.task", expected="classification or regression")
        if self._text is not None:
            self._numbers = None
        if self._fraction is not None:
            self._codes = None

    def _keep_numbers(self, numbers: NDArray[np.float64]) -> None:
        if self._numbers is None:
            return
        with np.errstate(over="ignore"):
            finite = np.isfinite(numbers.astype(np.float32))
        if not finite.all():
            row = int((~finite).argmax())
            raise UnreadableData(self._file, f"holds {numbers[row]} in {self._place(row)}: numbers must be finite")
        self._numbers.append(numbers)

    def _keep_codes(self, part: "pd.Series[Any]") -> None:
        import pandas as pd  # noqa: PLC0415

        if self._codes is None:
            return
        codes, found = pd.factorize(part)
        for value in found:
            self._labels.setdefault(str(value), len(self._labels))
        if len(self._labels) > MOST_CLASSES and self._task is None:
            self._codes = None
            return
        numbers = np.array([self._labels[str(value)] for value in found], dtype=np.int32)
        self._codes.append(numbers[codes])

    def values(self) -> tuple[NDArray[Any], int | None]:
        """[N] labels from 0 and the number of classes; or [N, 1] numbers to predict and None.

        Raises:
            InvalidValue: The values may be either, and no task is given.
            UnreadableData: All are of one class.
        """
        if self._task == "regression" or (self._task is None and self._fraction is not None):
            return np.concatenate(self._numbers or [np.empty(0)])[:, None], None
        if self._codes is None:
            reason = (
                f"must be given: {self._file} holds more than {MOST_CLASSES} different values in column "
                f"{self._name!r}, which may be classes or numbers to predict"
            )
            raise InvalidValue(reason, path="data.task", expected="classification or regression")
        order = self._order()
        classes = len(set(order.tolist()))
        if classes < 2:  # noqa: PLR2004
            only = f" but {next(iter(self._labels))!r}" if self._labels else ""
            reason = f"holds nothing{only} in column {self._name!r}: at least 2 classes are needed"
            raise UnreadableData(self._file, reason)
        return order[np.concatenate(self._codes)], classes

    def _order(self) -> Codes:
        """From the codes so far to the places of the labels in order: "1" and "01" are one label among numbers."""
        labels: list[Any] = list(self._labels)
        if self._text is None:
            labels = [float(label) for label in labels]
        place = {label: k for k, label in enumerate(sorted(set(labels)))}
        return np.array([place[label] for label in labels], dtype=np.int32)

    def _place(self, row: int) -> str:
        return f"row {self._rows + row + 1} of column {self._name!r}"
