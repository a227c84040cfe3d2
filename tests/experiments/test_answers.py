"""What the engine answers about models, asked without an engine."""

from prunekit.experiments import answers


def test_a_criterion_that_a_model_has_no_answer_for_says_why():
    assert "batch norm" in answers.refusal("lenet-fashion", "bn_scale", {}, "channel")
    assert answers.refusal("resnet20-cifar10", "bn_scale", {}, "channel") == ""
