"""The copying task: repeat a row of symbols after a separator."""

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from depthsearch.data.base import NO_TARGET, Dataset, DataSource, DataSpec, split_arrays


class Copying(DataSource):
    """Random symbols, a separator, and the same symbols again, which are to be predicted.

    With symbols a b c: the input is the tokens [a, b, c, separator, a, b] and the targets are [-, -, -, a, b, c], where
    - counts for nothing. The target at a position is the token that follows it, so that a network which sees the tokens
    up to there (gpt2, llama) has to look back by `length` positions. A network that reads both sides (bert) would read
    each target one position further on: `masked` hides them. Nobody does better than chance on the first half, which is
    why it does not count.

    Source: Hochreiter and Schmidhuber 1997, https://doi.org/10.1162/neco.1997.9.8.1735; Arjovsky et al. 2016,
    arXiv 1511.06464

    Attributes:
        symbols: How many symbols there are.
        length: Symbols to copy.
        points: How many sequences there are.
        masked: Put a mask in the place of the second symbols, for networks that read both sides.
    """

    name: Literal["copy"] = "copy"
    symbols: Annotated[int, Field(strict=True, ge=2, le=100_000)] = 10
    length: Annotated[int, Field(strict=True, ge=1, le=10_000)] = 8
    points: Annotated[int, Field(strict=True, ge=40, le=10_000_000)] = 2000
    masked: Annotated[bool, Field(strict=True)] = False

    @property
    def spec(self) -> DataSpec:
        """2 length positions; the separator, and the mask where there is one, follow the symbols."""
        vocabulary = self.symbols + (2 if self.masked else 1)
        return DataSpec(shape=(2 * self.length,), task="sequence", classes=self.symbols, vocabulary=vocabulary)

    def draw(self) -> Dataset:
        """Tokens [points, 2 length] and targets of the same shape, split."""
        rng = np.random.default_rng(self.seed)
        symbols = rng.integers(0, self.symbols, (self.points, self.length))
        separator = np.full((self.points, 1), self.symbols)
        again = np.full_like(symbols, self.symbols + 1) if self.masked else symbols
        tokens = np.hstack((symbols, separator, again[:, :-1]))
        targets = np.hstack((np.full_like(symbols, NO_TARGET), symbols))
        return split_arrays(tokens, targets, test_share=self.test_share, classes=self.symbols)
