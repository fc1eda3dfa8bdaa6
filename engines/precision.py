"""Whether a run computes in bfloat16: the one rule for all frameworks, which tell what their device can do."""

from engines.problems import Unavailable
from engines.spec import Precision


def takes_bfloat16(precision: Precision, device: str, *, is_able: bool, is_fast: bool) -> bool:
    """Tell whether `device`, as a person calls it, is to compute in bfloat16; `auto` does so where that is fast.

    Raises `Unavailable` where it is asked for by name and the hardware has not got it.
    """
    if precision == "bfloat16" and not is_able:
        raise Unavailable(f"{device} cannot compute in bfloat16.", "Use --precision float32.")
    return precision == "bfloat16" or (precision == "auto" and is_able and is_fast)
