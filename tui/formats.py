"""Numbers as a person reads them: durations, rates, bytes, counts, fractions. A value that is missing is a dash."""

from math import isfinite

MISSING = "-"


def clock(seconds: float | None) -> str:
    """Give a duration to the second: `0:07`, `12:34`, `1:02:03`, `2d 3:04:05`."""
    if seconds is None or not isfinite(seconds):
        return MISSING
    minutes, second = divmod(max(0, int(seconds)), 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    if days:
        return f"{days}d {hour}:{minute:02}:{second:02}"
    return f"{hour}:{minute:02}:{second:02}" if hour else f"{minute}:{second:02}"


def duration(seconds: float | None) -> str:
    """Give a measured duration with three digits: `12 ms`, `1.71 s`, `42.0 s`, from two minutes on `2:05`."""
    if seconds is None or not isfinite(seconds):
        return MISSING
    if seconds < 0.0995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 9.995:
        return f"{seconds:.2f} s"
    return f"{seconds:.1f} s" if seconds < 120 else clock(seconds)


def span(seconds: float) -> str:
    """Give a time as it is asked for on the command line: `10s`, `2.5s`, `2m30s`, `1h`."""
    if seconds < 119.5:
        return f"{seconds:.3g}s"
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return "".join(f"{number}{unit}" for number, unit in ((hours, "h"), (minute, "m"), (second, "s")) if number)


def ago(seconds: float) -> str:
    """Give how long ago something was, in its largest unit: `just now`, `5 min ago`, `12 d ago`."""
    for length, unit in ((86_400 * 365, "y"), (86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= length:
            return f"{seconds // length:.0f} {unit} ago"
    return "just now"


def percent(fraction: float | None, digits: int = 2) -> str:
    """Give a fraction in percent: `98.91 %`; what is not quite all is never rounded up to `100 %`."""
    if fraction is None or not isfinite(fraction):
        return MISSING
    text = f"{100 * fraction:.{digits}f}"
    if fraction < 1 and float(text) >= 100:
        text = f"{100 - 10**-digits:.{digits}f}"
    return f"{text} %"


def points(difference: float | None) -> str:
    """Give a difference of two fractions in percentage points, signed: `+0.42`."""
    return MISSING if difference is None or not isfinite(difference) else f"{100 * difference:+.2f}"


def spread(deviation: float | None) -> str:
    """Give a standard deviation of fractions in percentage points: `0.42`."""
    return MISSING if deviation is None or not isfinite(deviation) else f"{100 * deviation:.2f}"


def loss(value: float | None) -> str:
    """Give a loss with four digits that matter: `0.0345`, `2.303`, `1.2e+06`."""
    if value is None or not isfinite(value):
        return MISSING
    if value == 0 or 0.001 <= abs(value) < 1:
        return f"{value:.4f}"
    return f"{value:.3f}" if 1 <= abs(value) < 1000 else f"{value:.1e}"


def count(number: int | None) -> str:
    """Give a whole number with its thousands apart: `61,706`."""
    return MISSING if number is None else f"{number:,}"


def counted(number: int, thing: str) -> str:
    """Give a number of things: `1 epoch`, `1,437 images`."""
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"


def rate(per_second: float | None, unit: str) -> str:
    """Give a rate: `9,481 images/s`, `0.25 images/s`."""
    if per_second is None or not isfinite(per_second):
        return MISSING
    return f"{per_second:,.0f} {unit}/s" if per_second >= 10 else f"{per_second:.2f} {unit}/s"


def size(number: float | None) -> str:
    """Give a number of bytes in powers of 1024: `512 B`, `507 MiB`, `79.6 GiB`."""
    if number is None:
        return MISSING
    value, units = float(number), iter(("B", "KiB", "MiB", "GiB", "TiB"))
    unit = next(units)
    while abs(value) >= 999.5 and unit != "TiB":
        value /= 1024
        unit = next(units)
    return f"{value:.0f} {unit}" if unit == "B" or value >= 99.95 else f"{value:.1f} {unit}"


def number(value: float) -> str:
    """Give a setting as short as it can be: `0.001`, `1e-05`, `32`."""
    return f"{value:g}"


def shape(sizes: list[int]) -> str:
    """Give a tensor's shape: `6x1x5x5`; a scalar has `1`."""
    return "x".join(map(str, sizes)) or "1"
