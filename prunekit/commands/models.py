"""`prunekit models`: the sample models that are there, and torchvision's networks."""

from prunekit.core.cards import model_card, model_cards
from prunekit.core.language import N_, _
from prunekit.core.torchvision import TorchvisionNet, torchvision_id, torchvision_nets

HELP = N_("List the sample models.")


def arguments(parser) -> None:
    parser.add_argument(
        "--torchvision", action="store_true", help=_("list torchvision's classification networks instead")
    )


def run(options) -> dict:
    """Prints a line a model; returns all cards by id, as far as they matter on a command line."""
    return _torchvision(options) if options.torchvision else _samples(options)


def _samples(options) -> dict:
    cards = model_cards()
    if not options.json:
        for card in cards.values():
            metric = card.metrics["full"]["test"]
            print(f"{card.id:16} {card.parameters:>9,} parameters  {card.task.metric} {metric:.4f}  {card.summary}")
        print(_("and {n} of torchvision's networks: see `models --torchvision`").format(n=len(torchvision_nets())))
    facts = ("title", "summary", "data", "input_shape", "parameters", "macs", "bytes", "metrics")
    return {"models": [{"id": card.id} | {fact: getattr(card, fact) for fact in facts} for card in cards.values()]}


def _torchvision(options) -> dict:
    nets = list(torchvision_nets().values())
    if not options.json:
        wide = max(len(torchvision_id(net.name)) for net in nets)
        for net in nets:
            shape = "x".join(map(str, net.input_shape))
            counts = f"{net.parameters:>11,} parameters {net.macs:>15,} MACs at {shape:9}"
            print(f"{torchvision_id(net.name):{wide}} {counts} published top-1 {net.published.top1:.4f}")
        print(_("Their weights are random; add /published to an id for the published ones, which are downloaded."))
    return {"models": [_plain(net) for net in nets]}


def _plain(net: TorchvisionNet) -> dict:
    facts = ("title", "summary", "data", "input_shape", "parameters", "macs", "bytes")
    card = model_card(torchvision_id(net.name))
    published = {"id": torchvision_id(net.name, published=True), "top1": net.published.top1, "url": net.published.url}
    return {"id": card.id} | {fact: getattr(card, fact) for fact in facts} | {"published": published}
