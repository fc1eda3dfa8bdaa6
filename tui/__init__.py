"""What a person sees: the command line, the Textual app and headless printing. Reads run directories, trains nothing."""
