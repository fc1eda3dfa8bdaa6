"""What a person sees of pictures in half blocks."""


def inks_of(line):
    """Give the ink above and the one below in each cell; where there is no picture, none."""
    pairs = []
    for text, role in line:
        front, back = map(int, role.removeprefix("ink ").split("/")) if role.startswith("ink ") else (0, 0)
        pairs += [{"▀": (front, back), "▄": (back, front), " ": (back, back)}[cell] for cell in text]
    return pairs
