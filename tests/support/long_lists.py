"""Long lists of values; Hypothesis by itself hardly makes one of more than ten."""

from hypothesis import strategies as st


def long_lists(values, min_size=0):
    """Give a strategy for lists of up to 300 of `values`, in which a stretch comes again and again."""
    stretches = st.lists(values, min_size=min_size, max_size=15)
    return st.tuples(stretches, st.integers(1, 20)).map(lambda drawn: drawn[0] * drawn[1])
