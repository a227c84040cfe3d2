"""Numbers as people read them: 44.4 k parameters, 92 KB, 37.3 %."""

from prunekit.core.language import _

_STEPS = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


def compact(number: float) -> str:
    """Three digits and a unit: 44.4 k, 1.24 M; whole numbers below a thousand as they are."""
    for step, unit in _STEPS:
        # 999,950 already reads as 1.00 M.
        if abs(number) >= step * 0.99995:
            return f"{_three_digits(number / step)} {unit}"
    return f"{number:.0f}" if float(number).is_integer() else _three_digits(number)


def whole(number: int) -> str:
    """All digits, in groups of three."""
    return f"{number:,}"


def percent(fraction: float, digits: int = 1) -> str:
    """A fraction in [0, 1] as a percentage; never 100 or 0 unless it is exactly that."""
    lowest = 10.0**-digits
    value = round(fraction * 100, digits)
    if 0 < fraction < 1:
        value = min(max(value, lowest), 100 - lowest)
    text = f"{value:.{digits}f}" if value not in (0, 100) else f"{value:.0f}"
    return _("{number} %").format(number=text)


def size(count: float) -> str:
    """Bytes in powers of ten, as file managers show them."""
    for step, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "KB")):
        if count >= step * 0.9995:
            return f"{_three_digits(count / step)} {unit}"
    return _("{count} bytes").format(count=int(count))


def times(before: float, after: float) -> str:
    """How many times smaller: 1.99×."""
    if after <= 0:
        return "∞"
    return f"{_three_digits(before / after)}×"


def metric_text(value: float, as_percent: bool) -> str:
    """The value of a metric, as a percentage where the metric is a fraction."""
    return percent(value) if as_percent else f"{value:.3f}"


def spread_text(spread: float, as_percent: bool, digits: int = 2) -> str:
    """A standard deviation or another difference of metrics: in points of a percentage where the metric is one."""
    return f"{100 * spread:.{digits}f}" if as_percent else f"{spread:.{digits + 2}f}"


def loss_text(drop: float, as_percent: bool) -> str:
    """A loss of the metric in words: in points of a percentage where the metric is one."""
    if abs(drop) < (0.0005 if as_percent else 0.00005):
        return _("nothing")
    size = spread_text(abs(drop), as_percent, 1)
    words = _("{size} points").format(size=size) if as_percent else size
    return words if drop > 0 else _("nothing (it gains {size})").format(size=words)


def _three_digits(value: float) -> str:
    magnitude = abs(value)
    return f"{value:.{2 if magnitude < 9.995 else 1 if magnitude < 99.95 else 0}f}"
