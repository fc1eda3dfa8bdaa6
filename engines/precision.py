"""Whether a run computes in bfloat16: the one rule for all frameworks, which tell what their device can do."""

from engines.problems import Unavailable
from engines.processor import has_bfloat16_units
from engines.spec import Precision


def takes_bfloat16(precision: Precision, device: str, *, is_able: bool, is_fast: bool) -> bool:
    """Tell whether `device`, as a person calls it, is to compute in bfloat16; `auto` does so where that is fast.

    Raises `Unavailable` where it is asked for by name and the hardware has not got it.
    """
    if precision == "bfloat16" and not is_able:
        raise Unavailable(f"{device} cannot compute in bfloat16.", "Use --precision float32.")
    return precision == "bfloat16" or (precision == "auto" and is_able and is_fast)


def warn_of_slowness(precision: Precision, device: str) -> str:
    """Say in a line that bfloat16, asked for by name, is slow on `device`, as a person calls it; nothing where not."""
    if precision != "bfloat16" or not device.startswith("CPU") or has_bfloat16_units():
        return ""
    return (
        "bfloat16 may take several times as long as float32 on this processor, which has no units for it (AMX): "
        "--precision auto takes what is faster."
    )
