import pytest

from depthsearch.reporting.layer_names import short_layer_names


@pytest.mark.parametrize(
    ("names", "short"),
    [
        (["hidden 1", "output"], ["hidden 1", "output"]),
        (["network.entry.conv", "network.classifier.output"], ["entry.conv", "classifier.output"]),
        (["model", "model.patch_embed", "model.head"], ["model", "patch_embed", "head"]),
        (["layers.0", "layers.2"], ["layers.0", "layers.2"]),
        (["embed", "bert.encoder.layer.11.attention.output.dense"], ["embed", "b.e.l.11.a.o.dense"]),
        (["a", "stage3_reduction.conv2_of_many"], ["a", "…ction.conv2_of_many"]),
    ],
    ids=["short", "shared-path", "root-with-parameters", "numbers", "abbreviated", "cut"],
)
def test_a_layer_is_named_by_what_tells_it_from_the_others(names: list[str], short: list[str]) -> None:
    assert short_layer_names(names) == short
    assert all(len(name) <= 20 for name in short)
