"""Which criterion leads at each amount, and which are within noise of it, in sentences."""

import pandas as pd

from prunekit.core.cuts import GRANULARITIES
from prunekit.core.language import _, ngettext
from prunekit.core.recipe import Recipe, Training
from prunekit.core.settings import in_words, settings_of
from prunekit.reports.noise import Comparison, comparisons
from prunekit.reports.points import recipe_points
from prunekit.reports.recipes import measured_on, share

AT_MOST = 5
_SETTINGS = [*settings_of(Recipe), *settings_of(Training)]


def leads(table: pd.DataFrame) -> list[str]:
    """For recipes that differ in the criterion only, at which amounts which one leads, and which are within noise.

    By validation, whatever the chart shows: who leads is a choice, and nothing is chosen by test results.

    First comes how noise is told, then a sentence for the amounts that came out the same; at most a handful, those
    with the most criteria and seeds, and the last sentence then says how many amounts there are beyond them.
    """
    found = comparisons(recipe_points(table, "validation"))
    if not found:
        return []
    several_models = len({c.about["model_id"] for c in found}) > 1
    alike: dict[tuple, list[Comparison]] = {}
    for compared, more in sorted(zip(found, _apart(found), strict=True), key=lambda pair: _order(pair[0])):
        alike.setdefault((*_of_what(compared), more, *_outcome(compared)), []).append(compared)
    told = sorted(alike.items(), key=lambda item: min(map(_weight, item[1])))[:AT_MOST]
    told.sort(key=lambda item: _order(item[1][0]))
    sentences = [
        _(
            "The same amount by different criteria, by validation; “within noise”: Welch’s t-test over the seeds sees "
            "no difference at 95 %, or, where there is one seed or the seeds change nothing, the intervals overlap."
        )
    ]
    sentences += [_sentence(group, key[2], several_models) for key, group in told]
    if beyond := len(found) - sum(len(group) for _key, group in told):
        sentence = ngettext(
            "For {n} more amount, the column “Against the best” tells.",
            "For {n} more amounts, the column “Against the best” tells.",
            beyond,
        )
        sentences.append(sentence.format(n=beyond))
    return sentences


def _order(compared: Comparison) -> tuple:
    about = compared.about
    return about["model"], about["grain"], about["target"], about["amount"]


def _weight(compared: Comparison) -> tuple:
    """Small for comparisons that say most: of many criteria, over many seeds."""
    points = [*compared.best, *compared.near, *compared.behind]
    return -len(points), -min(len(point.values) for point in points)


def _outcome(compared: Comparison) -> tuple:
    """Who is highest, who is within noise, who is behind: the criteria in the order of their names."""
    parts = (compared.best, compared.near, compared.behind)
    return tuple(tuple(sorted(point.about["criterion"] for point in points)) for points in parts)


def _sentence(group: list[Comparison], more: str, with_model: bool) -> str:
    best, near, behind = _outcome(group[0])
    amounts = _listed(list(dict.fromkeys(share(c.about["amount"]) for c in group)))
    _model, what = _of_what(group[0])
    where = what.format(amount=amounts) + (f" ({more})" if more else "")
    if with_model:
        where = f"{group[0].about['model']}, {where}"
    if best[1:]:
        lead = _("{where}: {best} are highest, and equal")
    else:
        lead = _("{where}: {best} is highest, but does not lead") if near else _("{where}: {best} leads")
    parts = [lead.format(where=where, best=_listed(best))]
    if near:
        sentence = ngettext("{names} is within noise of that", "{names} are within noise of that", len(near))
        parts.append(sentence.format(names=_listed(near)))
    if behind:
        sentence = ngettext("{names} is behind by more", "{names} are behind by more", len(behind))
        parts.append(sentence.format(names=_listed(behind)))
    return "; ".join(parts) + "."


def _listed(names) -> str:
    return _("{names} and {last}").format(names=", ".join(names[:-1]), last=names[-1]) if names[1:] else names[0]


def _of_what(compared: Comparison) -> tuple[str, str]:
    """The model, and what the amount is of: a sentence with a gap for the amount."""
    about = compared.about
    sentence = {
        "sparsity": _("{amount} of the {units}"),
        "parameters": _("{amount} of the parameters, by {units}"),
        "macs": _("{amount} of the MACs, by {units}"),
        "bytes": _("{amount} of the bytes, by {units}"),
    }.get(about["target"], _("{amount}, by {units}"))
    return about["model_id"], sentence.replace("{units}", _(GRANULARITIES[about["grain"]]))


def _apart(told: list[Comparison]) -> list[str]:
    """For each comparison, what tells it from those that read the same without it; mostly nothing."""
    alike: dict[tuple, list[dict]] = {}
    for compared in told:
        alike.setdefault(_reads_as(compared), []).append(_settings_in(compared))
    texts = []
    for compared in told:
        own, group = _settings_in(compared), alike[_reads_as(compared)]
        differing = [name for name in own if len({str(other.get(name)) for other in group}) > 1]
        texts.append(", ".join(own[name] for name in differing))
    return texts


def _reads_as(compared: Comparison) -> tuple:
    return *_of_what(compared), compared.about["amount"]


def _settings_in(compared: Comparison) -> dict[str, str]:
    """All settings of a comparison, each in words: {"epochs": "epochs 3", ...}."""
    about = compared.about
    later = {s.name: s.default for s in _SETTINGS if s.later}  # not told of where they are not used
    plain = later | about["setting"] | about["setting"].get("training", {})
    said = {s.name: f"{_(s.label).lower()} {in_words(s, plain[s.name])}" for s in _SETTINGS if s.name in plain}
    by_hand = len(plain.get("overrides", ())) + len(plain.get("locked", ()))
    said["by_hand"] = ngettext("{n} layer by hand", "{n} layers by hand", by_hand).format(n=by_hand)
    said["examples"] = measured_on(about["validation_examples"])
    return said
