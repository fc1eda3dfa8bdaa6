"""What the screens are made of: panes that show one thing each."""
