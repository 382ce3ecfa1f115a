"""`oea`, and `python -m oea_cli`: the process around the program, from its first moment on."""

import sys


def main() -> None:
    """Run the program with the streams, signals and memory that it has; raises SystemExit."""
    try:
        from oea_cli.commands.console.memory_limit import guarded

        guarded(_run)
    except KeyboardInterrupt as interrupt:  # before or after the work, which catches its own
        from oea_cli.commands.console.messages import Message, in_form

        code = getattr(interrupt, "exit_code", 130)
        said = Message("oea: interrupted", level="error", code=code, is_whole=True)
        sys.stderr.write(in_form(said))
        sys.exit(code)


def _run() -> None:
    from oea_cli.commands.console.interrupts import end_soon, handle_interrupts, watch_interrupts

    handle_interrupts()
    from oea_cli.commands.console.streams import open_missing_streams

    open_missing_streams()
    watch_interrupts()
    from oea_cli.main import app

    try:
        app(prog_name="oea")
    except SystemExit as end:
        end_soon(end.code if isinstance(end.code, int) else 1)
        raise


if __name__ == "__main__":
    main()
