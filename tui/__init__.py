"""What a person sees: the command line, the Textual app, headless printing. Reads run directories, trains nothing."""
