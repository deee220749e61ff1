"""Memory that reading a large CSV file takes: peak resident set over the size of the data set in memory.

.venv/bin/python benchmarks/tables.py [ROWS]
"""

import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from depthsearch.data.base import DataSource

FEATURES, BLOCK = 8, 100_000


def write_table(file: Path, rows: int) -> None:
    """Random numbers of 4 digits, and a target of three words."""
    rng = np.random.default_rng(0)
    with file.open("w") as out:
        out.write(",".join([f"feature{k}" for k in range(FEATURES)]) + ",kind\n")
        for first in range(0, rows, BLOCK):
            numbers = rng.standard_normal((min(BLOCK, rows - first), FEATURES))
            kinds = rng.integers(0, 3, len(numbers))
            lines = np.char.mod("%.4f", numbers)
            out.writelines(
                ",".join(line) + f",{('red', 'green', 'blue')[kind]}\n"
                for line, kind in zip(lines.tolist(), kinds, strict=True)
            )


def megabytes() -> float:
    """The peak resident set of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000_000
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "table.csv"
        write_table(file, rows)
        size, before, start = file.stat().st_size / 2**20, megabytes(), time.perf_counter()
        data = DataSource.of({"name": f"csv:{file}", "target": "kind"}).load()
        seconds = time.perf_counter() - start
    arrays = (data.x_train, data.y_train, data.x_test, data.y_test)
    held = sum(array.nbytes for array in arrays) / 2**20
    print(
        f"{rows} rows: file {size:.0f} MiB, data set {held:.0f} MiB, peak {megabytes():.0f} MiB ({before:.0f} before)"
    )
    print(f"peak over data set {megabytes() / held:.2f}, over file {megabytes() / size:.2f}; {seconds:.0f} s")


if __name__ == "__main__":
    main()
