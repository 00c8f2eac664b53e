"""Measures the model on images that it has never seen."""
import json
import math

import digits

with open("model/model.json", encoding="ascii") as file:
    model = json.load(file)

right, loss, tests = 0, 0.0, list(digits.all_digits())[-digits.FOR_TESTS :]
for pixels, digit in tests:
    inputs = digits.features(pixels, model["filters"])
    scores = [math.fsum(map(float.__mul__, row, inputs)) for row in model["weights"]]
    top = max(scores)
    right += scores.index(top) == digit
    loss += math.log(math.fsum(math.exp(score - top) for score in scores)) + top - scores[digit]

with open("model/metrics.json", "w", encoding="ascii") as metrics:
    json.dump({"acc": right / len(tests), "loss": loss / len(tests)}, metrics)
    metrics.write("\n")
print(f"{right} of {len(tests)} right")
