"""Our colours, dark and light, each taken from the 256 that every terminal has, so that none shifts on an older one."""

from textual.theme import Theme

DARK = Theme(
    name="mnist-dark",
    dark=True,
    primary="#5fafaf",
    secondary="#5f87af",
    accent="#d7af5f",
    success="#87af5f",
    warning="#d7875f",
    error="#d75f5f",
    foreground="#d0d0d0",
    background="#121212",
    surface="#1c1c1c",
    panel="#262626",
    variables={
        "footer-background": "#262626",
        "footer-key-foreground": "#d7af5f",
        "block-cursor-text-style": "bold",
        "button-focus-text-style": "bold",
        "block-cursor-foreground": "#121212",
        "block-cursor-background": "#5fafaf",
    },
)

LIGHT = Theme(
    name="mnist-light",
    dark=False,
    primary="#005f87",
    secondary="#5f5f87",
    accent="#875f00",
    success="#005f00",
    warning="#af5f00",
    error="#af0000",
    foreground="#1c1c1c",
    background="#eeeeee",
    surface="#e4e4e4",
    panel="#d0d0d0",
    variables={
        "footer-background": "#d0d0d0",
        "footer-key-foreground": "#875f00",
        "block-cursor-text-style": "bold",
        "button-focus-text-style": "bold",
        "block-cursor-foreground": "#eeeeee",
        "block-cursor-background": "#005f87",
    },
)
