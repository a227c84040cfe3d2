"""Torchvision's networks on the pages: found, chosen, explored, and told plainly what they lack."""

import pytest

from prunekit.core.cards import model_cards
from prunekit.core.descriptions import scorer_descriptions
from prunekit.core.errors import ComingLater, Unreachable
from prunekit.core.torchvision import published_weights
from prunekit.experiments.folder import home
from prunekit.experiments.ledger import Ledger
from tests.app_over_toy import AppOverToy, elements, tiles
from tests.pages.reading import as_read, errors
from tests.sample_runs import add_running, recipe

RESNET, PUBLISHED = "torchvision/resnet18", "torchvision/resnet18/published"
LACK = "resnet18 (untrained) has no data set here"


WANTED = {"weights_wanted": {PUBLISHED}}


@pytest.fixture
def app(monkeypatch, tmp_path):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    return AppOverToy(monkeypatch)


def words(at) -> str:
    return "\n".join(as_read(e.value) for kind in (at.markdown, at.caption, at.error, at.info) for e in kind)


def header(at):
    return at.selectbox(key="header_model")


def test_the_start_page_offers_all_eighty_with_their_numbers(app):
    at = app.open("start")
    options = at.selectbox(key="torchvision_net").options
    assert len(options) == 80
    assert "resnet18 · 11.7 M parameters · 1.81 G MACs · top-1 69.8 %" in options
    assert "…or one of torchvision's 80 networks" in words(at)


def test_the_header_keeps_its_short_list_until_one_is_chosen(app):
    at = app.open("start")
    assert len(header(at).options) == len(model_cards())
    at.selectbox(key="torchvision_net").set_value("resnet18").run()
    at.button(key="choose_torchvision").click().run()
    assert header(at).value == RESNET
    assert len(header(at).options) == len(model_cards()) + 1
    assert RESNET in at.query_params["model"]
    assert at.button(key="choose_torchvision").disabled


def test_back_at_a_sample_model_the_network_stays_within_reach(app):
    at = app.open("start", {"model": RESNET})
    header(at).set_value("lenet-fashion").run()
    assert RESNET in at.session_state["models_met"]
    header(at).set_value(RESNET).run()
    assert at.session_state["model"] == RESNET


def test_the_box_follows_a_link_and_knows_untrained_from_published(app):
    at = app.open("start", {"model": PUBLISHED})
    assert at.selectbox(key="torchvision_net").value == "resnet18"
    assert at.segmented_control(key="torchvision_weights").value == "published"
    at.segmented_control(key="torchvision_weights").set_value("untrained").run()
    at.button(key="choose_torchvision").click().run()
    assert at.session_state["model"] == RESNET


def test_the_table_has_them_all_to_sort_by_size_or_accuracy(app):
    [table] = [e.value for e in app.open("start").dataframe if "top1" in e.value.columns]
    assert len(table) == 80
    assert table.sort_values("parameters")["name"].iloc[0] == "squeezenet1_1"


def test_without_data_the_start_page_leads_to_explore_and_not_to_a_recipe(app):
    at = app.open("start", {"model": RESNET})
    assert LACK in words(at)
    assert not [b for b in at.button if b.label == "Prune with this recipe"]
    [explore] = [b for b in at.button if b.label == "Explore it"]
    explore.click().run()
    assert not at.exception
    assert "Sparsity" in tiles(at)


def test_explore_says_what_is_missing_where_one_would_look_for_it(app):
    at = app.open("explore", {"model": RESNET}, scorer="taylor")
    assert words(at).count(LACK) == 1
    assert tiles(at)["Accuracy before fine-tuning"] == ("–", "no data set to measure it on")
    known = scorer_descriptions()
    offered = at.selectbox(key="scorer").options
    assert offered == [d.label for d in known.values() if d.needs == "weights" and "channel" in d.granularities]
    assert at.button(key="to_prune").disabled
    assert "preview" not in [question for question, _args in app.engine.asked]


def test_a_sample_model_keeps_all_its_criteria_and_its_preview(app):
    at = app.open("explore", {"model": "lenet-fashion"})
    assert "Taylor" in " ".join(at.selectbox(key="scorer").options)
    assert not at.button(key="to_prune").disabled


def test_prune_says_in_one_sentence_why_not_and_offers_what_works(app):
    at = app.open("prune", {"model": RESNET})
    assert LACK in words(at)
    assert not [b for b in at.button if b.label == "Start"]
    assert [b for b in at.button if b.label == "Explore it"]
    assert "python -m prunekit profile --model torchvision/resnet18" in [code.value for code in at.code]


@pytest.mark.parametrize("page", ["start", "explore"])
def test_following_a_link_to_published_weights_fetches_nothing_before_somebody_says_so(app, page):
    at = app.open(page, {"model": PUBLISHED})
    assert not app.engine.asked
    assert "The published weights of resnet18 are not on this machine yet: 46.8 MB" in words(at)
    at.button(key="fetch_weights").click().run()
    assert PUBLISHED in str(app.engine.asked)


def test_weights_that_were_fetched_before_are_shown_at_once(app):
    weights = published_weights(PUBLISHED)
    weights.path.parent.mkdir(parents=True)
    weights.path.write_bytes(b"")
    app.open("start", {"model": PUBLISHED})
    assert PUBLISHED in str(app.engine.asked)


@pytest.mark.parametrize("page", ["start", "explore"])
def test_published_weights_out_of_reach_are_one_sentence_and_a_way_on(app, page):
    def refuse(_model, *_rest):
        raise Unreachable("This machine cannot reach the server; take the untrained network.")

    app.engine.summary = app.engine.exploration = refuse
    at = app.open(page, {"model": PUBLISHED}, **WANTED)
    assert errors(at) == ["This machine cannot reach the server; take the untrained network."]
    at.button(key="take_untrained").click().run()
    assert at.session_state["model"] == RESNET


def test_published_weights_on_their_way_are_waited_for_with_how_far_they_are(app):
    def later(_model):
        raise ComingLater("Fetching the published weights resnet18-f37072fd.pth: 12 MB of 46.8 MB.")

    summary, app.engine.summary = app.engine.summary, later
    at = app.open("start", {"model": PUBLISHED}, **WANTED)
    assert "12 MB of 46.8 MB" in words(at)
    assert not at.error
    app.engine.summary = summary
    at.run()
    assert tiles(at)["Layers"][0] == "5"


def test_channels_that_cannot_be_traced_are_said_above_the_layers(app):
    summary = app.engine.summary
    app.engine.summary = lambda model: summary(model) | {"groups": [], "untraced": "Too many ways."}
    at = app.open("start", {"model": "torchvision/swin_t"})
    assert "Channels cannot be pruned here, single weights can. Too many ways." in words(at)


def test_a_network_that_is_not_there_is_one_sentence_and_the_page_goes_on(app):
    at = app.open("start", {"model": "torchvision/resnet19"})
    assert "did you mean resnet18" in errors(at)[0]
    assert header(at).value == "lenet-fashion"


def test_no_page_of_a_torchvision_network_shows_an_empty_badge(app):
    at = app.open("start", {"model": RESNET})
    badges = [e.value for e in elements(at) if e.type == "markdown" and "badge[" in str(e.value)]
    assert any("no data set" in badge for badge in badges)


def test_its_latency_is_measured_on_this_machine_when_somebody_asks(app):
    app.engine.slow = 1
    at = app.open("start", {"model": "torchvision/resnet18/published"}, **WANTED)
    at.run()
    assert not app.engine.asked_for("measured_latency")
    at.button(key="measure_latency").click().run()
    assert tiles(at)["One example at a time"] == ("…", "Computing.")
    for _look in range(3):
        at.run()
    assert not at.exception
    asked = [arguments[:2] for arguments in app.engine.asked_for("measured_latency", lane="preview")]
    assert list(dict.fromkeys(asked)) == [("torchvision/resnet18", 1), ("torchvision/resnet18", 8)]
    assert tiles(at)["One example at a time"] == ("2 ms", "1.8 to 2.4 ms, 500 examples/s")
    assert tiles(at)["Batch of 8"] == ("16 ms", "14.4 to 19.2 ms, 500 examples/s")


def test_its_latency_is_not_measured_while_a_run_trains(app):
    history = Ledger(home())
    running = add_running(history, recipe())
    at = app.open("start", {"model": "torchvision/resnet18"}, **WANTED)
    at.button(key="measure_latency").click().run()
    assert "this is measured when nothing trains any more" in words(at)
    assert not app.engine.asked_for("measured_latency")
    history.change(running, state="stopped")
    at.run()
    assert tiles(at)["Batch of 8"]
