"""The command line: the only code that touches the terminal."""
