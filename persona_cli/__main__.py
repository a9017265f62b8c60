"""Run the command line: `python -m persona_cli`."""

from persona_cli.cli.app import main

if __name__ == "__main__":
    main()
