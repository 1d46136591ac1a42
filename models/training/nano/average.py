"""Averages weights of two stages, which keeps more of what the earlier one did better than training alone does.

usage: python3 -m nano.average FIRST SHARE SECOND OUT    SHARE of the first, 0 to 1
"""

import sys

import numpy as np


def average(first: np.ndarray, share: float, second: np.ndarray) -> np.ndarray:
    if first.size != second.size:
        raise ValueError(f"Cannot average: {first.size} and {second.size} weights")
    return (share * first + (1 - share) * second).astype("<f4")


if __name__ == "__main__":
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    first, share, second, out = sys.argv[1:]
    average(np.fromfile(first, "<f4"), float(share), np.fromfile(second, "<f4")).tofile(out)
