"""The command `depthsearch`, which is `python -m depthsearch`."""

import sys

INTERRUPTED = 130


def main() -> None:
    """Run the command; Ctrl-C while it is still being imported ends it as it does later."""
    try:
        from depthsearch.cli.main import main as run  # noqa: PLC0415 - this is what may be interrupted
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        sys.exit(INTERRUPTED)
    run()


if __name__ == "__main__":
    main()
