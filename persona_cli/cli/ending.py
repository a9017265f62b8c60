"""How a run ends that the system asks to end: SIGTERM from a shutdown, SIGHUP from a terminal that was closed.

Both unwind the program as an exit would: an answer under way is kept with what was said, a running job is queued
again, locks are let go. Without this the words being answered would be lost.
"""

from __future__ import annotations

import os
import signal
import stat
import sys
from types import FrameType


def end_in_order() -> None:
    """From now on end by unwinding, with exit code 128 plus the signal's number, when the system asks to end."""
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        # nohup and some supervisors start programs with SIGHUP ignored, and mean it
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _leave)


def _leave(number: int, _frame: FrameType | None) -> None:
    if number == signal.SIGTERM:
        # whoever asks twice does not want to wait
        signal.signal(number, signal.SIG_DFL)
    else:
        signal.signal(number, signal.SIG_IGN)
        _let_go_of_the_terminal()
    sys.exit(128 + number)


def _let_go_of_the_terminal() -> None:
    """Send what is still printed nowhere: writing to a terminal that is gone fails."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        # not isatty(): a terminal whose other end is closed says that it is none
        if stat.S_ISCHR(os.fstat(stream).st_mode):
            os.dup2(nowhere, stream)
    os.close(nowhere)
