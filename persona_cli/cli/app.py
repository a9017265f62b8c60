"""The command line application and its error boundary."""


def main() -> None:
    """Run the command line."""
