"""Recipes that more than one test takes apart."""

from prunekit.core.recipe import Recipe, Training


def full() -> Recipe:
    """A recipe with numbers that show it when their last digit is lost, and nothing left at its default.

    But for `round_to` and how coupled layers are scored, which single weights have no use for.
    """
    return Recipe(
        "mlp-digits",
        scorer="magnitude",
        knobs={"p": 2},
        granularity="weight",
        scope="layer",
        target="macs",
        amount=1 / 3,
        overrides={"fc1.weight": 0.1 + 0.2},
        locked=("fc3.weight", "fc2.weight"),
        floor=3,
        schedule="iterative",
        rounds=5,
        calibration=64,
        training=Training(
            epochs=8,
            learning_rate=1e-5,
            optimizer="adamw",
            decay="constant",
            batch_size=32,
            momentum=0.8,
            weight_decay=0.0,
            label_smoothing=0.1,
            distillation=0.9,
            temperature=4.0,
            augment=False,
            precision="bfloat16",
        ),
        seed=7,
    )
