"""Who leads, in sentences: short, true, and never more than a handful."""

from prunekit.core.recipe import Training
from prunekit.reports.leads import AT_MOST, leads
from prunekit.reports.tables import run_table
from tests.sample_runs import quick, recipe, run


def of(scorer, *values, **changes):
    return [run(recipe(scorer=scorer, seed=seed, **changes), finetuned=value) for seed, value in enumerate(values)]


def said(*groups):
    return leads(run_table([one for group in groups for one in group]))


def test_one_leads_one_is_within_noise_and_two_are_behind():
    how, sentence = said(
        of("taylor", 0.90, 0.91, 0.89),
        of("contribution", 0.895, 0.905, 0.885),
        of("magnitude", 0.85, 0.86, 0.84),
        of("random", 0.80, 0.81, 0.79),
    )
    assert "Welch" in how
    assert sentence == (
        "50 % of the channels: Taylor is highest, but does not lead; Contribution is within noise of that; "
        "Magnitude and Random are behind by more."
    )


def test_equal_means_share_the_lead_also_where_all_of_them_are_equal():
    assert said(of("taylor", 0.9), of("magnitude", 0.9), of("random", 0.5))[1:] == [
        "50 % of the channels: Magnitude and Taylor are highest, and equal; Random is behind by more."
    ]
    assert said(of("taylor", 0.1), of("random", 0.1))[1:] == [
        "50 % of the channels: Random and Taylor are highest, and equal."
    ]


def test_nobody_leads_where_all_are_within_noise():
    assert said(of("taylor", 0.9), of("random", 0.89))[1] == (
        "50 % of the channels: Taylor is highest, but does not lead; Random is within noise of that."
    )


def test_amounts_that_came_out_the_same_share_a_sentence():
    groups = [of(s, v, amount=a) for a in (0.3, 0.5, 0.7) for s, v in (("taylor", 0.9), ("random", 0.7))]
    assert said(*groups)[1:] == ["30 %, 50 % and 70 % of the channels: Taylor leads; Random is behind by more."]


def test_what_the_amount_is_of_is_said():
    groups = [of(s, v, target="parameters") for s, v in (("taylor", 0.9), ("random", 0.7))]
    assert said(*groups)[1].startswith("50 % of the parameters, by channels: ")


def test_settings_are_named_only_where_they_tell_two_comparisons_apart():
    groups = [of(s, v, training=quick(n)) for n in (3, 9) for s, v in (("taylor", 0.9), ("random", 0.7))]
    assert [sentence.split(":")[0] for sentence in said(*groups)[1:]] == [
        "50 % of the channels (epochs 3)",
        "50 % of the channels (epochs 9)",
    ]


def test_no_more_than_a_handful_is_said_and_the_rest_is_counted():
    near, far = 0.89, 0.6
    outcomes = [(0.9, near, near), (0.9, near, far), (0.9, far, near), (0.9, far, far), (near, 0.9, near)]
    outcomes += [(near, 0.9, far), (far, 0.9, near)]
    groups = [
        of(scorer, value, amount=(1 + i) / 10)
        for i, values in enumerate(outcomes)
        for scorer, value in zip(("taylor", "contribution", "magnitude"), values, strict=True)
    ]
    sentences = said(*groups)
    assert len(sentences) == 1 + AT_MOST + 1
    assert sentences[-1] == "For 2 more amounts, the column “Against the best” tells."


def test_those_with_the_most_criteria_are_told_first_of_all():
    small = [of(s, v, amount=a / 20) for a in range(1, 8) for s, v in (("taylor", 0.9), ("random", 0.6 + a / 20))]
    large = [of(s, v, amount=0.9) for s, v in (("taylor", 0.6), ("magnitude", 0.9), ("random", 0.3))]
    assert any("90 % of the channels: Magnitude leads" in sentence for sentence in said(*small, *large))


def test_with_one_criterion_there_is_nothing_to_say():
    assert said(of("taylor", 0.9, 0.8)) == []
    assert said() == []


def test_the_model_is_named_where_there_are_several():
    groups = [of(s, v, model=m) for m in ("lenet-fashion", "mlp-digits") for s, v in (("taylor", 0.9), ("random", 0.7))]
    found = said(*groups)[1:]
    assert [sentence.split(",")[0] for sentence in found] == ["LeNet on Fashion-MNIST", "Perceptron on digits"]


def test_plain_and_distilled_runs_are_told_apart_by_name():
    taught = Training(**vars(quick()) | {"distillation": 0.9})
    runs = [
        run(recipe(scorer=scorer, training=training), finetuned=value)
        for training in (quick(), taught)
        for scorer, value in (("taylor", 0.9), ("random", 0.5))
    ]
    told = " ".join(leads(run_table(runs)))
    assert "distillation 0.9" in told
    assert "distillation 0)" in told
