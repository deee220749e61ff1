"""Architectures of Hugging Face's transformers, from their configurations: nothing is downloaded."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from depthsearch.data.base import DataSpec
from depthsearch.errors import InvalidValue
from depthsearch.networks.published import Published
from depthsearch.schema import quoted

if TYPE_CHECKING:
    from torch import Tensor, nn

HALVES = ("encoder_layers", "decoder_layers", "num_encoder_layers", "num_decoder_layers")
"""What configurations of encoder-decoders call their two depths."""

OF_DATA = ("num_labels", "id2label", "label2id", "image_size", "num_channels")
"""Settings that the data give; `vocab_size` may be larger than the data's."""

FIXED = ("architectures", "dtype", "model_type", "return_dict", "torchscript", "transformers_version", "_name_or_path")
"""Entries of a configuration that are none of the architecture's."""

TOKENS = tuple(f"{name}_token_id" for name in ("bos", "eos", "pad", "sep", "decoder_start", "forced_bos", "forced_eos"))
"""Tokens of a published vocabulary, which a small vocabulary does not have."""


class HuggingFace(Published):
    """Any architecture of Hugging Face's transformers with a number of layers, with random weights.

    Depth is `num_hidden_layers`; in an encoder-decoder, the layers of each half. For a class or number at each
    position, a decoder predicts the next token and sees only tokens up to it, an encoder (bert) reads both sides, and
    both halves of an encoder-decoder read the tokens. For one class of a whole input, a model with a head for sequence
    classification, or for image classification.

    Source: Wolf et al. 2020, https://doi.org/10.18653/v1/2020.emnlp-demos.6
    """

    library: ClassVar[str] = "transformers"
    extra: ClassVar[str] = "hf"

    family: Literal["hf"] = "hf"
    architecture: str = "llama"

    def build(self, spec: DataSpec, depth: int) -> "nn.Module":
        """From inputs [batch, *spec.shape] to logits [batch, outputs], or [batch, positions, classes] for a sequence.

        Raises:
            InvalidValue: The library is not installed, or an architecture, a setting or the data do not fit.
        """
        self.prepare()
        self.check_settings(spec)
        config = self._config(spec, depth)
        model = _auto_class(config, spec, self).from_config(config)
        if spec.image is None:
            # The last token is the one that counts: no token is padding. The library needs an id to find that out.
            model.config.pad_token_id = -1 if spec.task != "sequence" else model.config.pad_token_id
        return _with_logits(model, spec)

    def check_settings(self, spec: DataSpec) -> None:
        """Refuse what transformers would accept silently: it keeps any setting, known or not."""
        known, aliases = self._known(), self._config_class().attribute_map
        if "num_hidden_layers" not in (*known, *aliases):
            self.refuse(f"must have a num_hidden_layers, but {self.architecture!r} has none")
        by_depth = ["num_hidden_layers", aliases.get("num_hidden_layers", "num_hidden_layers"), *HALVES]
        self.check_keys(known=[*known, *aliases], depth=by_depth, data=OF_DATA)
        if spec.vocabulary is None and spec.image is None:
            self.refuse(f"{self.architecture!r} reads tokens or images, but inputs of shape {spec.shape} are neither")

    def _config_class(self) -> Any:
        from transformers import CONFIG_MAPPING  # noqa: PLC0415

        if self.architecture not in CONFIG_MAPPING:
            self.refuse_unknown(CONFIG_MAPPING.keys())
        return CONFIG_MAPPING[self.architecture]

    def _known(self) -> dict[str, Any]:
        """The settings of the architecture, with the published values."""
        try:
            published = self._config_class()().to_dict()
            return {name: value for name, value in published.items() if name not in FIXED}
        except InvalidValue:
            raise
        except Exception as error:
            self.refuse(f"{self.architecture!r} has no configuration by default: {type(error).__name__}")

    def _config(self, spec: DataSpec, depth: int) -> Any:
        """The configuration of that depth for those data."""
        cls, known = self._config_class(), self._known()
        implied: dict[str, Any] = {"num_hidden_layers": depth, "num_labels": spec.outputs}
        implied |= {name: depth for name in HALVES if name in known}
        implied |= {name: None for name in TOKENS if name in known}
        if "use_cache" in known:
            implied["use_cache"] = False
        if spec.image is None:
            implied |= self._for_tokens(spec, known, cls.attribute_map)
        else:
            channels, height, width = spec.image
            implied |= {"image_size": height if height == width else (height, width), "num_channels": channels}
        return cls(**(implied | self.settings))

    def _for_tokens(self, spec: DataSpec, known: Mapping[str, Any], aliases: Mapping[str, str]) -> dict[str, Any]:
        """A vocabulary that holds tokens and classes, and positions for all of an input."""
        vocabulary = max(spec.vocabulary or 0, spec.outputs if spec.task == "sequence" else 0)
        given = self.settings.get("vocab_size", vocabulary)
        if not isinstance(given, int) or given < vocabulary:
            reason = f"'vocab_size' must be at least {vocabulary}, the data's tokens, but got {quoted(given)}"
            raise InvalidValue(reason, path="network.set", value=given)
        longest = known.get(aliases.get("max_position_embeddings", "max_position_embeddings"))
        longer = isinstance(longest, int) and longest < spec.shape[0]
        return {"vocab_size": vocabulary} | ({"max_position_embeddings": spec.shape[0]} if longer else {})


def _auto_class(config: Any, spec: DataSpec, network: HuggingFace) -> Any:
    """The class of transformers that gives the architecture its head for the task."""
    import transformers as hf  # noqa: PLC0415
    from transformers.models.auto import modeling_auto as auto  # noqa: PLC0415

    kind = type(config)
    if spec.image is not None:
        choices = [(auto.MODEL_FOR_IMAGE_CLASSIFICATION_MAPPING, hf.AutoModelForImageClassification)]
    elif spec.task != "sequence" and config.is_encoder_decoder:
        choices = []  # its class is read at a token that ends the text, which the data do not have
    elif spec.task != "sequence":
        choices = [(auto.MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING, hf.AutoModelForSequenceClassification)]
    elif config.is_encoder_decoder:
        choices = [(auto.MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING, hf.AutoModelForSeq2SeqLM)]
    else:
        choices = [
            (auto.MODEL_FOR_MASKED_LM_MAPPING, hf.AutoModelForMaskedLM),
            (auto.MODEL_FOR_CAUSAL_LM_MAPPING, hf.AutoModelForCausalLM),
        ]
        if getattr(config, "is_decoder", False):
            choices.reverse()
    found = next((cls for mapping, cls in choices if kind in mapping), None)
    if found is None:
        inputs = "of tokens" if spec.image is None else "of images"
        network.refuse(f"{network.architecture!r} has no head that gives a {spec.task} {inputs}")
    return found


def _with_logits(model: Any, spec: DataSpec) -> "nn.Module":
    """The model as a module from inputs to logits."""
    from torch import nn  # noqa: PLC0415

    class Logits(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = model

        def forward(self, x: "Tensor") -> "Tensor":
            if spec.image is not None:
                found = self.network(pixel_values=x.reshape(-1, *spec.image))  # [batch, channels, height, width]
            elif spec.task == "sequence" and self.network.config.is_encoder_decoder:
                found = self.network(input_ids=x, decoder_input_ids=x)
            else:
                found = self.network(input_ids=x)  # [batch, positions]
            logits: Tensor = found.logits
            return logits[..., : spec.outputs]

    return Logits()
