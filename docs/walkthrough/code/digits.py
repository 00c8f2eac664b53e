"""The handwritten digits that all three stages work with: 8 x 8 pixels of 0-16, from scikit-learn's copy of the UCI data set."""
import gzip
import math
import os

ROWS = os.environ.get("DIGITS", "/usr/lib/python3/dist-packages/sklearn/datasets/data/digits.csv.gz")
SIDE = 8
FOR_TESTS = 397  # the last ones, which no training ever sees


def all_digits():
    """(pixels, digit) of all 1,797 images."""
    with gzip.open(ROWS, "rt", encoding="ascii") as lines:
        for line in lines:
            *pixels, digit = (int(float(value)) for value in line.split(","))
            yield pixels, digit


def features(pixels, filters):
    """Each 3 x 3 filter slid over the image, what is positive averaged over nine fields."""
    patches = [
        [pixels[(row + r) * SIDE + column + c] / 16 for r in range(3) for c in range(3)]
        for row in range(SIDE - 2)
        for column in range(SIDE - 2)
    ]
    found = []
    for weights in filters:
        answers = [max(0.0, math.fsum(map(float.__mul__, weights, patch))) for patch in patches]
        found += [
            math.fsum(answers[(row + r) * 6 + column + c] for r in range(2) for c in range(2)) / 4
            for row in range(0, 6, 2)
            for column in range(0, 6, 2)
        ]
    found.append(1.0)
    return found
