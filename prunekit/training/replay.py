"""A network and variants of it on the same examples: what comes before their first difference is computed once."""

import contextlib
import operator
import threading
import types
from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import fx, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval, fuse_linear_bn_eval

from prunekit.core.tasks import Task
from prunekit.training.evaluation import Evaluation, eval_mode, judge, quick_copy

FOLDS = {nn.Conv1d: fuse_conv_bn_eval, nn.Conv2d: fuse_conv_bn_eval, nn.Conv3d: fuse_conv_bn_eval}
FOLDS[nn.Linear] = fuse_linear_bn_eval
NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
IN_PLACE = {
    operator.iadd: operator.add,
    operator.isub: operator.sub,
    operator.imul: operator.mul,
    operator.itruediv: operator.truediv,
}
RELUS = {("call_function", torch.relu), ("call_function", nn.functional.relu), ("call_method", "relu")}
FRESH = {*FOLDS, *NORMS, nn.ConvTranspose1d, nn.ConvTranspose2d}  # what they give is a tensor of its own, and no view
NONE = types.MappingProxyType({})
TRIED = 8  # examples that the recorded network is tried on


class Replay:
    """Judges variants of a network on the same batches of (inputs, targets).

    A variant is the network with other tensors in some of its layers, as `masked_copy` makes it. The network is
    recorded as a graph (torch.fx), with batch norm folded into the layers before it and channels last in memory;
    variants are run from the first layer on that differs, with what came before it remembered. That is one position,
    which only moves on: variants are soonest judged in the order in which their layers run. A network that cannot be
    recorded, or answers otherwise then, is run as it is, each time as a whole. Not for two threads at a time, but for
    `evaluate_whole`.
    """

    def __init__(self, model: nn.Module, batches: Sequence[tuple[torch.Tensor, torch.Tensor]], task: Task):
        self.task, self._batches = task, [(_channels_last(inputs), targets) for inputs, targets in batches]
        self._model = model
        self._before = dict(model.state_dict())
        self._recorded = _Recorded.of(model, self._batches[0][0][:TRIED]) if self._batches else None
        self._position, self._values = 0, []

    @property
    def is_recorded(self) -> bool:
        """Whether anything is spared: otherwise variants are run as a whole."""
        return self._recorded is not None

    def evaluate(self, variant: nn.Module) -> Evaluation:
        """The metric of a variant, in eval mode, on all batches. It is left as it is."""
        targets = (targets for _inputs, targets in self._batches)
        return judge(zip(self._outputs(variant), targets, strict=True), self.task)

    def evaluate_whole(self, variant: nn.Module) -> Evaluation:
        """The same with nothing remembered: for variants that differ in most layers, and in how many channels these
        have (see `remove_channels`). Several threads may ask at a time.
        """
        targets = (targets for _inputs, targets in self._batches)
        return judge(zip(self._answers(variant), targets, strict=True), self.task)

    @torch.inference_mode()
    def _outputs(self, variant: nn.Module) -> Iterator[torch.Tensor]:
        if self._recorded is None:
            yield from self._plain_answers(variant)
            return
        other = self._with(variant)
        self._move_to(other.first)
        for values in self._values:
            yield other.run(dict(values), self._position)

    @torch.inference_mode()
    def _answers(self, variant: nn.Module) -> list[torch.Tensor]:
        if self._recorded is not None:
            other = self._with(variant)
            overwrites = other.overwrites()
            # A size of before may have been recorded as a number. Not out of memory: that would come again.
            with contextlib.suppress(RuntimeError) if self._has_other_sizes(variant) else contextlib.nullcontext():
                return [other.run(other.begin(inputs), overwrites=overwrites) for inputs, _ in self._batches]
        return self._plain_answers(variant)

    def _has_other_sizes(self, variant: nn.Module) -> bool:
        now = variant.state_dict()
        return any(tensor.shape != now[name].shape for name, tensor in self._before.items())

    @torch.inference_mode()
    def _plain_answers(self, variant: nn.Module) -> list[torch.Tensor]:
        quick = quick_copy(variant)
        return [quick(inputs) for inputs, _targets in self._batches]

    def _with(self, variant: nn.Module) -> "_Recorded":
        with eval_mode(variant):
            return self._recorded.with_tensors_of(variant, self._changed(variant))

    def _changed(self, variant: nn.Module) -> set[str]:
        """The names of the tensors in which a variant differs."""
        now = variant.state_dict()
        return {name for name, tensor in self._before.items() if not torch.equal(tensor, now[name])}

    def _move_to(self, position: int) -> None:
        """Remembers, for each batch, what the nodes from `position` on need of those before."""
        start, remembered = self._position, self._values
        self._position, self._values = 0, []  # should it end half-way, out of memory say, the next one begins afresh
        if not remembered or position < start:
            start, remembered = 0, [self._recorded.begin(inputs) for inputs, _targets in self._batches]
        for values in remembered:
            self._recorded.run(values, start, position)
        self._position, self._values = position, remembered


class _Recorded(fx.Interpreter):
    """A network as a list of steps, some of which may have been given other tensors; `first` is the first of those."""

    def __init__(
        self,
        recorded: fx.GraphModule,
        folded: Mapping[str, str],
        layers: Mapping[str, nn.Module],
        tensors: Mapping[str, torch.Tensor],
        first: int = 0,
    ):
        super().__init__(recorded)
        self.nodes = list(recorded.graph.nodes)
        self.folded, self.layers, self.tensors, self.first = folded, layers, tensors, first

    @classmethod
    def of(cls, model: nn.Module, examples: torch.Tensor) -> "_Recorded | None":
        """The steps of a network; None where they cannot be told, or would not give its answers."""
        twin = quick_copy(model)
        try:
            return cls._tried(twin, examples)
        except Exception:  # whatever a stranger's forward pass does
            return None

    @classmethod
    def _tried(cls, twin: nn.Module, examples: torch.Tensor) -> "_Recorded | None":
        recorded = fx.GraphModule(twin, _OnThisThread().trace(twin))
        if not all(map(_is_pure, recorded.graph.nodes)) or _count(recorded.graph, "placeholder") != 1:
            return None
        folded = _fold(recorded)
        targets = {node.target for node in recorded.graph.nodes if node.op == "call_module"}
        layers = {target: _layer(twin, target, folded) for target in targets}
        names = {node.target for node in recorded.graph.nodes if node.op == "get_attr"}
        steps = cls(recorded, folded, layers, {name: operator.attrgetter(name)(twin) for name in names})
        with torch.inference_mode():
            wanted = twin(examples)
            if not isinstance(wanted, torch.Tensor):
                return None
            values, middle = steps.begin(examples), len(steps.nodes) // 2
            steps.run(values, 0, middle)
            # Twice from the same values: what is remembered must outlive being used.
            answers = [steps.run(dict(values), middle) for _turn in range(2)]
        near = {"rtol": 1e-4, "atol": 1e-4 * float(wanted.abs().max())}
        return steps if all(torch.allclose(given, wanted, **near) for given in answers) else None

    def with_tensors_of(self, variant: nn.Module, changed: set[str]) -> "_Recorded":
        """The same steps with the tensors of a variant, which differs in those called `changed`."""
        owners = {name.rpartition(".")[0] for name in changed}
        new = {t for t in self.layers if {t, self.folded.get(t)} & owners or any(o.startswith(f"{t}.") for o in owners)}
        layers = self.layers | {target: _layer(variant, target, self.folded) for target in new}
        tensors = self.tensors | {name: operator.attrgetter(name)(variant) for name in self.tensors if name in changed}
        touched = (
            i for i, node in enumerate(self.nodes) if node.target in (new if node.op == "call_module" else changed)
        )
        # Where nothing differs, only the answer itself is left to be given.
        return _Recorded(self.module, self.folded, layers, tensors, next(touched, len(self.nodes) - 1))

    def begin(self, inputs: torch.Tensor) -> dict:
        """The values at the position 0."""
        return {node: inputs for node in self.nodes if node.op == "placeholder"}

    def run(self, values: dict, start: int = 0, end: int | None = None, overwrites: Mapping[fx.Node, fx.Node] = NONE):
        """Takes the steps from `start` up to `end`, or all that are left; the network's answer where they end with it.

        values: of the steps before that are still needed; afterwards, of those before `end`. overwrites: see below.
        """
        self.env = values
        for node in self.nodes[start:end]:
            if (read := overwrites.get(node)) is not None:
                values[node] = _overwritten(values[read], *(values[n] for n in node.all_input_nodes if n is not read))
            elif node.op != "placeholder":
                values[node] = self.run_node(node)
            for gone in self.user_to_last_uses.get(node, ()):
                del values[gone]
        return values.get(self.nodes[-1])

    def overwrites(self) -> dict[fx.Node, fx.Node]:
        """Which sums and ReLUs may overwrite which of the values that they read: fresh ones that nothing else reads.

        For running all steps at once, with no values to go on from afterwards.
        """
        fresh, found = set(), {}
        for node in self.nodes:
            simple = self._is_relu(node) or _is_sum(node)
            if simple or (node.op == "call_module" and type(self.layers[node.target]) in FRESH):
                fresh.add(node)
            alone = [read for read in node.all_input_nodes if read in fresh and len(read.users) == 1]
            if simple and alone:
                found[node] = alone[0]
        return found

    def _is_relu(self, node: fx.Node) -> bool:
        if node.op == "call_module":
            return type(self.layers[node.target]) is nn.ReLU
        return len(node.args) == 1 and (node.op, node.target) in RELUS

    def call_module(self, target, args, kwargs):
        return self.layers[target](*args, **kwargs)

    def get_attr(self, target, args, kwargs):
        return self.tensors[target]


class _OnThisThread(fx.Tracer):
    """While it records, torch.fx has its hands on all modules of the process: those of other threads run as ever."""

    def __init__(self):
        super().__init__()
        self._thread = threading.get_ident()

    def call_module(self, m, forward, args, kwargs):
        if threading.get_ident() != self._thread:
            return forward(*args, **kwargs)
        return super().call_module(m, forward, args, kwargs)

    def getattr(self, attr, attr_val, parameter_proxy_cache):
        if threading.get_ident() != self._thread:
            return attr_val
        return super().getattr(attr, attr_val, parameter_proxy_cache)


def _fold(recorded: fx.GraphModule) -> dict[str, str]:
    """Takes batch norm out of a recorded network where it follows a layer that it can be folded into.

    Returns which layer takes which batch norm.
    """
    modules, folded, graph = dict(recorded.named_modules()), {}, recorded.graph
    calls = [node.target for node in graph.nodes if node.op == "call_module"]
    for node in list(graph.nodes):
        if (
            node.op != "call_module"
            or not isinstance(norm := modules[node.target], NORMS)
            or not norm.track_running_stats
        ):
            continue
        before = next(iter(node.all_input_nodes))
        alone = before.op == "call_module" and len(before.users) == calls.count(before.target) == 1
        if alone and calls.count(node.target) == 1 and type(modules[before.target]) in FOLDS:
            folded[before.target] = node.target
            node.replace_all_uses_with(before)
            graph.erase_node(node)
    return folded


def _layer(model: nn.Module, target: str, folded: Mapping[str, str]) -> nn.Module:
    """A layer of a network as it is run: with its batch norm in it, channels last, and leaving its inputs alone."""
    layer = model.get_submodule(target)
    if target in folded:
        layer = FOLDS[type(layer)](layer, model.get_submodule(folded[target]))
    layer = quick_copy(layer)
    if getattr(layer, "inplace", False):
        layer.inplace = False  # its input may be one of the values that are remembered
    return layer


def _channels_last(inputs: torch.Tensor) -> torch.Tensor:
    return inputs.contiguous(memory_format=torch.channels_last) if inputs.dim() == 4 else inputs


def _is_sum(node: fx.Node) -> bool:
    """Whether a step adds up two values of the network."""
    known = node.op == "call_function" and node.target in (operator.add, torch.add) and not node.kwargs
    return known and len(node.args) == len(node.all_input_nodes) == 2


def _overwritten(value: torch.Tensor, *other: torch.Tensor) -> torch.Tensor:
    """A value after a ReLU, or with another one added to it, in the same memory where it fits in."""
    if not other:
        return value.relu_()
    [summand] = other
    return value.add_(summand) if (summand.shape, summand.dtype) == (value.shape, value.dtype) else value + summand


def _is_pure(node: fx.Node) -> bool:
    """Whether a step leaves its inputs as they are, once those that can be told so have been."""
    if node.kwargs.get("out") is not None:
        return False
    if node.kwargs.get("inplace"):
        node.update_kwarg("inplace", False)
    if node.op == "call_method":
        return not node.target.endswith("_") or node.target.endswith("__")
    if node.op == "call_function":
        node.target = IN_PLACE.get(node.target, node.target)
        name = getattr(node.target, "__name__", "")
        return not name.endswith("_") and name != "setitem"
    return True


def _count(graph: fx.Graph, op: str) -> int:
    return sum(node.op == op for node in graph.nodes)
