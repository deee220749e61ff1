"""A user's data: a function that loads them, or arrays, torch Datasets and DataLoaders of the running process."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, ClassVar, Literal, Self

from pydantic import model_validator

from depthsearch.data.base import Dataset, DataSource, DataSpec, TorchData
from depthsearch.data.user_contents import Given, given_data
from depthsearch.errors import InvalidValue
from depthsearch.generators import seeded
from depthsearch.user_code.source import FromSource


class UserData(FromSource, DataSource):
    """Your own data: `load()` returns (train, test), each a pair of arrays or tensors, a Dataset, or a DataLoader.

    Attributes:
        source: The function: FILE.py:name or package.module:name.
        seed: Seed of the global generators while `load` runs. By default 0.
    """

    runs_user_code: ClassVar[bool] = True
    shorthand: ClassVar[str] = "data.name"

    name: Literal["user"] = "user"
    source: str

    @model_validator(mode="before")
    @classmethod
    def _check_source(cls, data: Any) -> Any:
        return cls.with_checked_source(data)

    @model_validator(mode="after")
    def _test_points_are_given(self) -> Self:
        if self.test_share != type(self).model_fields["test_share"].default:
            reason = f"is not used, since load() gives the test points, but got {self.test_share}: leave it out"
            raise InvalidValue(reason, path="data.test_share", value=self.test_share)
        return self

    def stamp(self) -> str:
        """The hash of the code."""
        return self.code

    @property
    def spec(self) -> DataSpec:
        """What the data show: the user's code runs for it, once."""
        return _loaded(self, self.code).spec

    def draw(self) -> Dataset | TorchData:
        """The data."""
        return _loaded(self, self.code).data

    def given(self) -> Given:
        """What the code gives, checked.

        Raises:
            UserCodeFailed: It raises an exception, or returns something that is no data.
        """
        code = self.loaded
        called: Callable[[], Any] | None = code.target if callable(code.target) else None
        with seeded(self.seed):
            if called is None:
                return given_data(code.target, code)
            with code.calling(f"{code.called}()"):
                found = called()
            return given_data(found, code)


@lru_cache(maxsize=4)
def _loaded(source: UserData, _code: str) -> Given:
    return source.given()


class DataElsewhere(DataSource):
    """No data set: a function that trains elsewhere loads its data itself."""

    runs_user_code: ClassVar[bool] = True

    name: Literal["elsewhere"] = "elsewhere"

    @property
    def label(self) -> str:
        """Nothing."""
        return ""

    @property
    def spec(self) -> DataSpec:
        """Nothing is known."""
        return DataSpec(shape=(), task="custom")

    def draw(self) -> TorchData:
        """Nothing."""
        return TorchData(train=(), test=(), points=1, baseline=0.0)
