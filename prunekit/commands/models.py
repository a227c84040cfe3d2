"""`prunekit models`: the sample models that are there."""

from prunekit.core.cards import model_cards
from prunekit.core.language import N_

HELP = N_("List the sample models.")


def arguments(parser) -> None:
    """No arguments of its own."""


def run(options) -> dict:
    """Prints a line a model; returns all cards by id, as far as they matter on a command line."""
    cards = model_cards()
    if not options.json:
        for card in cards.values():
            metric = card.metrics["full"]["test"]
            print(f"{card.id:16} {card.parameters:>9,} parameters  {card.task.metric} {metric:.4f}  {card.summary}")
    facts = ("title", "summary", "data", "input_shape", "parameters", "macs", "bytes", "metrics")
    return {"models": [{"id": card.id} | {fact: getattr(card, fact) for fact in facts} for card in cards.values()]}
