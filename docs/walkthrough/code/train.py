"""Trains a small network on the images in data/: random filters, then a layer that is learnt by gradient descent."""
import glob
import json
import math
import os
import random

import digits

with open("config/train.json", encoding="utf-8") as config:
    n_filters = json.load(config)["num_conv_filters"]

chance = random.Random(1)
filters = [[chance.gauss(0, 0.5) for _ in range(9)] for _ in range(n_filters)]
examples = []
for path in sorted(glob.glob("data/*/*.pgm")):
    with open(path, "rb") as image:
        examples.append((digits.features(list(image.read()[-64:]), filters), int(path.split("/")[1])))

weights = [[0.0] * len(examples[0][0]) for _ in range(10)]
rate = 0.5 / n_filters**0.5
for epoch in range(6):
    chance.shuffle(examples)
    for inputs, digit in examples:
        scores = [math.fsum(map(float.__mul__, row, inputs)) for row in weights]
        top = max(scores)
        powers = [math.exp(score - top) for score in scores]
        total = math.fsum(powers)
        for answer, row in enumerate(weights):
            step = rate * ((answer == digit) - powers[answer] / total)
            if abs(step) > 1e-4:
                weights[answer] = [w + step * x for w, x in zip(row, inputs)]
    rate *= 0.7

os.makedirs("model", exist_ok=True)
with open("model/model.json", "w", encoding="ascii") as model:
    json.dump({"filters": filters, "weights": weights}, model)
print(f"trained on {len(examples)} images with {n_filters} filters")
