"""The most memory that training takes: of the GPU where it trains there, else what the process has resident."""

import sys
from contextlib import suppress
from pathlib import Path

CLEAR_PEAK = "5"
"""What Linux takes in /proc/self/clear_refs to forget the peak of a process (proc(5))."""


class PeakMemory:
    """Counts from the moment that it is made.

    Outside of Linux no system forgets a process's peak, and the count is that since the process began.

    Args:
        device: Type of the torch device that trains, "cpu" or "cuda".
    """

    def __init__(self, device: str) -> None:
        self._device = device
        if device == "cuda":
            import torch  # noqa: PLC0415 - only where it is loaded anyway

            torch.cuda.reset_peak_memory_stats()
            return
        with suppress(OSError):
            Path("/proc/self/clear_refs").write_text(CLEAR_PEAK, encoding="ascii")

    def bytes(self) -> int | None:
        """The peak; None where the system does not say."""
        if self._device == "cuda":
            import torch  # noqa: PLC0415

            return int(torch.cuda.max_memory_allocated())
        with suppress(OSError):
            for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) * 1024
        with suppress(ImportError):
            import resource  # noqa: PLC0415 - no module of Windows

            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            return peak if sys.platform == "darwin" else peak * 1024
        return None
