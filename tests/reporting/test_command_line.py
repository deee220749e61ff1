"""What an option says where families understand different things by it."""

from typing import Annotated, ClassVar, Literal

from depthsearch.reporting.command_line import _default_text, _help, problem_options
from depthsearch.schema import FrozenModel, one_of

Kinds = Literal["none", "batch"]
Places = Literal["none", "pre"]


class Plain(FrozenModel):
    """A network.

    Attributes:
        norm: Kind of normalization.
        width: Units.
    """

    called: ClassVar[str] = "plain"
    norm: Annotated[Kinds, one_of("norm", Kinds)] = "none"
    width: int = 5


class Placed(FrozenModel):
    """Another network.

    Attributes:
        norm: Place of the normalization.
        width: Units. By default as many as there are tokens.
    """

    norm: Annotated[Places, one_of("norm", Places)] = "pre"
    width: int | None = None


TAKERS = [("plain", Plain), ("wide", Plain), ("placed", Placed)]


def test_each_meaning_of_an_option_has_its_names_and_its_families() -> None:
    assert _help("norm", TAKERS, True) == (
        "Kind of normalization (of plain, wide): none, batch; place of the normalization (of placed): none, pre. "
        "[default: none; pre for placed]"
    )


def test_one_meaning_for_all_is_said_once() -> None:
    assert _help("width", TAKERS, True) == "Units. [default: 5; as many as there are tokens for placed]"
    assert _help("width", TAKERS[:2], False) == "Units (of plain, wide). [default: 5]"


def test_defaults_that_all_differ_are_listed() -> None:
    assert _default_text({"cnn": "16", "vgg": "32"}) == "cnn 16, vgg 32"
    assert _default_text({"cnn": "", "vgg": ""}) == ""
    assert _default_text({"moons": "1000", "csv": "1000, of files all"}) == "1000, of files all"
    assert _default_text({"cnn": "", "vgg": "3", "resnet": "3"}) == "3; none for cnn"


def test_the_families_share_their_options() -> None:
    options = {option.field: option for option in problem_options() if option.table == "network"}

    assert "place of layer norm in a block (of transformer): none, pre, post" in options["normalization"].help
    assert options["normalization"].help.endswith("[default: none; batch for preact, resnet; pre for transformer]")
    assert options["activation"].help.count("softsign") == 1
    assert (options["like"].type, options["residual"].type, options["dropout"].type) == (int, bool, float)
