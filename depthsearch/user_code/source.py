"""The base of networks and data sets that a user's code makes: their field `source` names it."""

from contextlib import AbstractContextManager
from functools import cached_property
from typing import Any, ClassVar, Self

from depthsearch.errors import InvalidValue
from depthsearch.user_code.files import SOURCE_FORMS, check_text
from depthsearch.user_code.loading import UserCode, code_hash, load_code
from depthsearch.user_code.objects import is_live


class FromSource:
    """The methods of an entry whose code a user gives; a class names this one before its registry's.

    Attributes:
        source: FILE.py:name or package.module:name.
    """

    shorthand: ClassVar[str]
    """The path of the field that users give in place of `source`: "network.model". Messages name it."""

    key: ClassVar[str]
    source: str
    runs_user_code: ClassVar[bool] = True

    @classmethod
    def with_checked_source(cls, fields: Any) -> Any:
        """The fields of an entry, whose source names code; whether the code exists is asked when it is needed.

        Raises:
            InvalidValue: The source is missing, or neither FILE.py:name nor package.module:name.
        """
        if isinstance(fields, dict):
            text = fields.get("source")
            if text is None:
                raise InvalidValue(f"is missing: give {SOURCE_FORMS}", path=cls.shorthand, expected="given")
            check_text(str(text), path=cls.shorthand)
        return fields

    @property
    def label(self) -> str:
        """The file and the name in it, without folders: "model.py:build"."""
        if is_live(self.source):
            return self.function
        return self.source.replace("\\", "/").rpartition("/")[2]

    @property
    def function(self) -> str:
        """The name within the file: "build"."""
        return self.source.split(":")[1] if is_live(self.source) else self.source.rpartition(":")[2]

    @cached_property
    def code(self) -> str:
        """Hash of the contents of the code, from the first time that it is asked for.

        Raises:
            InvalidValue: There is no such file.
        """
        return code_hash(self.source, path=self.shorthand)

    @cached_property
    def loaded(self) -> UserCode:
        """The code, loaded.

        Raises:
            InvalidValue: There is no such file, or its contents have changed since its hash was asked for.
            UserCodeFailed: It cannot be imported, or holds no such name.
        """
        return load_code(self.source, path=self.shorthand, digest=self.code)

    def __getstate__(self) -> dict[str, Any]:
        """All but the loaded code: another process loads it again, and refuses other contents."""
        state: dict[str, Any] = super().__getstate__()  # type: ignore[assignment]
        kept = {name: value for name, value in state["__dict__"].items() if name != "loaded"}
        return state | {"__dict__": kept}

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        """The entry itself, which never changes."""
        return self

    def identity(self) -> dict[str, Any]:
        """The fields that identify the entry: of the code its name; where it lies is no part of the question."""
        return super().identity() | {"source": self.function}  # type: ignore[misc,no-any-return]

    def typed(self) -> dict[str, Any]:
        """The fewest fields, as people write them."""
        fields: dict[str, Any] = super().fewest_fields()  # type: ignore[misc]
        rest = {name: value for name, value in fields.items() if name not in ("source", self.key)}
        return rest | {self.shorthand.rpartition(".")[2]: self.source}

    def running(self, doing: str) -> AbstractContextManager[None]:
        """A block in which the code runs (see `UserCode.calling`)."""
        return self.loaded.calling(doing)
