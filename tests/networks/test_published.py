"""Architectures of transformers and timm, with random weights. Importing the libraries takes seconds: all is here."""

import sys
from collections.abc import Iterator
from importlib.metadata import version
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from depthsearch import extras
from depthsearch.data.base import NO_TARGET, DataSource, DataSpec
from depthsearch.errors import InvalidValue, UnknownName
from depthsearch.extras import register_torchvision_operators
from depthsearch.networks.base import Network
from depthsearch.problem.problem import Problem
from depthsearch.search.settings import SearchSettings
from depthsearch.store import open_store
from depthsearch.training.select import choose_engine
from depthsearch.workflows import answer_of, find

COPY = DataSource.of("copy").spec
MASKED = DataSource.of({"name": "copy", "masked": True}).spec
TOKENS = DataSpec(shape=(16,), classes=3, vocabulary=11)
IMAGES = DataSource.of("digits").spec

SMALL = {"hidden_size": 64, "num_attention_heads": 2, "intermediate_size": 128}
DECODER = SMALL | {"num_key_value_heads": 2}
BART = {"d_model": 32, "encoder_attention_heads": 2, "decoder_attention_heads": 2} | {
    f"{half}_ffn_dim": 32 for half in ("encoder", "decoder")
}
T5 = {"d_model": 32, "d_ff": 32, "d_kv": 16, "num_heads": 2}
SETTINGS: dict[str, dict[str, Any]] = {
    "gpt2": {"n_embd": 64, "n_head": 2},
    "llama": SMALL,
    "mistral": DECODER,
    "qwen2": DECODER,
    "bert": SMALL,
    "vit": SMALL | {"patch_size": 2},
    "bart": BART,
    "t5": T5,
    "albert": SMALL,
    "swin": {},
    "resnet": {},
    "lama": {},
}
VIT: dict[str, Any] = {"embed_dim": 64, "num_heads": 2, "patch_size": 2}


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def hf(architecture: str, **changes: Any) -> Network:
    return Network.of(
        {"family": "hf", "architecture": architecture, "set": SETTINGS.get(architecture, {}) | changes},
    )


def timm(architecture: str = "vit_tiny_patch16_224", **settings: Any) -> Network:
    return Network.of({"family": "timm", "architecture": architecture, "set": settings})


def parameters(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize(
    ("network", "spec", "shape"),
    [
        (hf("gpt2"), COPY, (16, 10)),
        (hf("llama"), COPY, (16, 10)),
        (hf("bert"), MASKED, (16, 10)),
        (hf("bart"), MASKED, (16, 10)),
        (hf("t5"), MASKED, (16, 10)),
        (hf("gpt2"), TOKENS, (3,)),
        (hf("bert"), TOKENS, (3,)),
        (hf("vit"), IMAGES, (10,)),
        (timm(**VIT), IMAGES, (10,)),
    ],
    ids=lambda value: value.label if isinstance(value, Network) else "",
)
def test_deeper_networks_have_more_parameters_and_give_the_logits_of_the_task(
    network: Network, spec: DataSpec, shape: tuple[int, ...]
) -> None:
    network.check(spec)
    modules = {depth: network.build(spec, depth) for depth in (1, 3)}
    x = torch.zeros(2, *spec.shape, dtype=torch.float32 if spec.vocabulary is None else torch.int64)

    counts = {depth: parameters(module) for depth, module in modules.items()}
    assert counts[1] < counts[3]
    assert counts == {depth: network.layer_counts(spec, depth).parameters for depth in (1, 3)}
    assert all(module(x).shape == (2, *shape) for module in modules.values())
    assert all(module.training for module in modules.values())


def test_both_halves_of_an_encoder_decoder_have_the_depth() -> None:
    for architecture in ("bart", "t5"):
        names = [name for name, _ in hf(architecture).build(MASKED, 3).named_modules()]
        blocks = "layers" if architecture == "bart" else "block"
        for half in ("encoder", "decoder"):
            assert sum(name.endswith(tuple(f"{half}.{blocks}.{k}" for k in range(9))) for name in names) == 3


def test_a_long_input_has_positions_for_all_of_it() -> None:
    spec = DataSpec(shape=(1100,), task="sequence", classes=5, vocabulary=5)

    assert hf("gpt2").build(spec, 1)(torch.zeros(1, 1100, dtype=torch.int64)).shape == (1, 1100, 5)


@pytest.mark.parametrize("architecture", ["gpt2", "llama", "mistral", "qwen2"])
def test_a_token_changes_no_logit_before_it(architecture: str) -> None:
    torch.manual_seed(0)
    network = hf(architecture).build(COPY, 2).eval()
    tokens = torch.randint(0, 10, (4, 16))
    with torch.no_grad():
        before = network(tokens)
        for j in (0, 1, 7, 8, 9, 15):
            changed = tokens.clone()
            changed[:, j] = (changed[:, j] + 1) % 10
            moved = (network(changed) - before).abs().amax(dim=(0, 2))
            assert moved[:j].sum() == 0.0
            assert moved[j] > 0


def batches(x: np.ndarray, y: np.ndarray) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    while True:
        for first in range(0, len(x), 32):
            yield torch.tensor(x[first : first + 32]), torch.tensor(y[first : first + 32])


@pytest.mark.parametrize(("independent", "low", "high"), [(False, 0.95, 1.0), (True, 0.05, 0.15)])
def test_a_decoder_learns_to_copy_and_stays_at_chance_where_the_halves_have_nothing_in_common(
    independent: bool, low: float, high: float
) -> None:
    data = DataSource.of({"name": "copy", "points": 7000}).load()
    x, y = data.x_train.copy(), data.y_train.copy()
    if independent:
        symbols = np.random.default_rng(1).integers(0, 10, (len(x), 8))
        x[:, 9:], y[:, 8:] = symbols[:, :-1], symbols
    torch.manual_seed(0)
    network = hf("gpt2").build(COPY, 2)
    optimizer = torch.optim.Adam(network.parameters(), 3e-3)
    right: list[float] = []
    for tokens, targets in islice(batches(x, y), 110):
        logits = network(tokens)
        optimizer.zero_grad()
        functional.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=NO_TARGET).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        counts = targets != NO_TARGET
        right.append(float((logits.argmax(-1) == targets)[counts].float().mean()))

    assert low <= float(np.mean(right[-10:])) <= high


def message(network: Network, spec: DataSpec) -> str:
    with pytest.raises(InvalidValue) as refused:
        network.check(spec)
    text = str(refused.value)
    assert "\n" not in text
    return text


@pytest.mark.parametrize(
    ("network", "spec", "expected"),
    [
        (hf("lama"), COPY, "must be an architecture of transformers, but got 'lama': did you mean 'llama'?"),
        (hf("llama", hiden_size=64), COPY, "unknown setting of llama 'hiden_size': did you mean 'hidden_size'?"),
        (hf("llama", num_hidden_layers=3), COPY, "'num_hidden_layers' follows from the depth, but got 3: leave it out"),
        (hf("gpt2", n_layer=3), COPY, "'n_layer' follows from the depth"),
        (hf("bart", decoder_layers=3), MASKED, "'decoder_layers' follows from the depth"),
        (hf("vit", image_size=16), IMAGES, "'image_size' follows from the data"),
        (hf("llama", vocab_size=10), COPY, "'vocab_size' must be at least 11, the data's tokens, but got 10"),
        (hf("llama", hidden_size="wide"), COPY, "'llama' with hidden_size='wide', num_attention_heads=2, "),
        (hf("llama", hidden_size=0), COPY, "'llama' with hidden_size=0, num_attention_heads=2, "),
        (hf("gpt2", n_head=0), COPY, "n_head=0 cannot be built at depth 1: ZeroDivisionError: "),
        (hf("albert"), COPY, "parameters at depth 1 and at depth 2"),
        (hf("resnet"), IMAGES, "must have a num_hidden_layers, but 'resnet' has none"),
        (hf("swin"), IMAGES, " does not read images of shape (1, 8, 8): "),
        (hf("bert"), IMAGES, "'bert' has no head that gives a classification of images"),
        (hf("bart"), TOKENS, "'bart' has no head that gives a classification of tokens"),
        (hf("vit"), COPY, "'vit' has no head that gives a sequence of tokens"),
        (hf("vit", patch_size=16), IMAGES, "patch_size=16 does not read images of shape (1, 8, 8): RuntimeError: "),
        (hf("llama"), DataSpec(shape=(2,), classes=2), "'llama' reads tokens or images, but inputs of shape (2,) are"),
        (timm("vit_tin_patch16_224"), IMAGES, "must be an architecture of timm, but got 'vit_tin_patch16_224': did"),
        (timm("resnet18"), IMAGES, "must take a depth, but 'resnet18' of timm takes none"),
        (timm("mixer_s16_224"), IMAGES, "must take a depth, but 'mixer_s16_224' of timm takes none"),
        (timm(embed_dims=64), IMAGES, "'embed_dims': did you mean 'embed_dim'? accepted: act_layer, "),
        (timm(depth=3), IMAGES, "'depth' follows from the depth, but got 3: leave it out"),
        (timm(num_classes=3), IMAGES, "'num_classes' follows from the data"),
        (timm(), IMAGES, "does not read images of shape (1, 8, 8): RuntimeError: "),
        (
            hf("meta-llama/Llama-3"),
            COPY,
            "must be an architecture of transformers, such as llama, and no repository, but got 'meta-llama/Llama-3'",
        ),
        (
            timm("timm/vit.in1k"),
            IMAGES,
            "an architecture of timm, such as vit_tiny_patch16_224, and no repository, but",
        ),
        (timm(**VIT), COPY, "reads images, but inputs of shape (16,) are none"),
    ],
    ids=lambda value: value.label if isinstance(value, Network) else "",
)
def test_what_the_library_would_swallow_or_trip_over_is_refused_in_one_line(
    network: Network, spec: DataSpec, expected: str
) -> None:
    assert expected in message(network, spec)


def test_an_unknown_setting_is_refused_when_a_network_is_built_as_well() -> None:
    for network, spec in ((hf("llama", hiden_size=64), COPY), (timm(embed_dims=64), IMAGES)):
        with pytest.raises(UnknownName):
            network.build(spec, 1)


def test_a_problem_is_checked_before_anything_is_trained() -> None:
    problem = Problem(family="hf", architecture="llama", set={"hiden_size": 64}, data="copy")

    with pytest.raises(InvalidValue, match="did you mean 'hidden_size'"):
        choose_engine(problem)


def test_counting_and_checking_leave_the_random_generator_as_it_was() -> None:
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    hf("gpt2").check(COPY)
    timm(**VIT).check(IMAGES)

    assert torch.equal(torch.rand(2), expected)


def test_the_same_seed_builds_the_same_weights() -> None:
    for network, spec in ((hf("llama"), COPY), (timm(**VIT), IMAGES)):
        built = []
        for _ in range(2):
            torch.manual_seed(5)
            built.append(network.build(spec, 2).state_dict())
        assert all(torch.equal(value, built[1][name]) for name, value in built[0].items())


# Identity.


def test_the_version_of_the_library_is_the_code_of_the_network() -> None:
    assert hf("llama").code == f"transformers {version('transformers')}"
    assert timm().code == f"timm {version('timm')}"


def test_settings_count_in_the_question_and_their_order_does_not() -> None:
    def question(settings: dict[str, Any]) -> str:
        return Problem(family="hf", architecture="llama", set=settings, data="copy").question()

    assert question({"hidden_size": 64, "use_cache": True}) == question({"use_cache": True, "hidden_size": 64})
    assert question({"hidden_size": 64}) != question({"hidden_size": 32})
    assert question({}) == Problem(family="hf", data="copy").question()
    assert hash(hf("llama")) == hash(hf("llama"))


@pytest.mark.parametrize(
    "value", [None, [1, None], {"a": None}, object(), float("nan")], ids=["null", "list", "table", "object", "nan"]
)
def test_a_setting_that_has_no_place_in_a_question_is_refused(value: object) -> None:
    with pytest.raises(InvalidValue, match=r"set (of 'x' )?must "):
        hf("llama", x=value)


@pytest.mark.parametrize("text", ["hf:llama", "timm:vit_tiny_patch16_224"])
def test_a_text_names_a_published_architecture(text: str) -> None:
    family, architecture = text.split(":")

    assert Problem(model=text, data="copy").network == Network.of({"family": family, "architecture": architecture})


def test_a_text_that_names_no_architecture_is_refused() -> None:
    with pytest.raises(InvalidValue, match="must be an architecture after the colon, as in hf:NAME, but got 'hf:'"):
        Problem(model="hf:")


# The libraries.


@pytest.mark.parametrize(("network", "spec", "extra"), [(hf("llama"), COPY, "hf"), (timm(), IMAGES, "timm")])
def test_without_its_library_one_line_says_what_to_install(
    network: Network, spec: DataSpec, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(extras, "find_spec", lambda _name: None)

    text = message(network, spec)
    assert text.startswith("architecture needs the library ")
    assert text.endswith(f"install it with pip install 'depthsearch[{extra}]'")


def test_a_library_that_is_not_installed_has_a_name_and_no_version() -> None:
    assert extras.version_words("no-such-library") == "no-such-library"


@pytest.mark.parametrize(("loads", "declared"), [(True, False), (False, True)])
def test_torchvisions_operators_are_declared_only_where_its_library_does_not_load(
    loads: bool, declared: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load_library(_path: object) -> None:
        if not loads:
            raise OSError("Could not load this library")

    operator = f"declared_{declared}".lower()
    monkeypatch.delitem(sys.modules, "torchvision", raising=False)
    monkeypatch.setattr(torch.ops, "load_library", load_library)
    monkeypatch.setattr(extras, "TORCHVISION_OPERATORS", (operator,))

    register_torchvision_operators.__wrapped__()

    assert hasattr(torch.ops.torchvision, operator) is declared


def test_torchvision_is_importable_after_a_library_was_prepared() -> None:
    extras.require("torchvision", extra="timm", path="network.architecture")
    from torchvision.models import resnet18

    with torch.device("meta"):
        assert parameters(resnet18()) == 11_689_512


def test_torchvision_is_prepared_when_a_users_code_is_about_to_import_it(monkeypatch: pytest.MonkeyPatch) -> None:
    prepared: list[str] = []
    finders = list(sys.meta_path)
    monkeypatch.delitem(sys.modules, "torchvision", raising=False)
    monkeypatch.setattr(extras, "register_torchvision_operators", lambda: prepared.append("torchvision"))

    with extras.torchvision_importable():
        for name in ("torchmetrics", "sqlite3.dump", "torchvision"):
            find_spec(name)

    assert prepared == ["torchvision"]
    assert sys.meta_path == finders


def test_the_answer_of_a_search_is_shown_without_the_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = {"optimizer": "adam", "steps": 40, "learning_rate": 0.003}
    network = {"family": "timm", "set": VIT | {"embed_dim": 8, "patch_size": 4}}
    problem = Problem(network=network, data="digits", recipe=recipe)
    settings = SearchSettings(cap=1, max_runs=2, runs_per_trial=2)
    storage = f"sqlite:///{tmp_path}/store.db"
    answer = find(problem, settings, storage=storage)
    assert answer.cost.runs == 2
    monkeypatch.setattr(extras, "find_spec", lambda _name: None)

    with open_store(storage) as store:
        again = answer_of(store.read_study(answer.study))

    assert answer.max_depth == again.max_depth
    assert again.layers is None
