"""Logistic regression by gradient descent over three quarters of the customers; the others measure it."""
import csv
import json
import math

params = json.load(open("params.json"))
rows = list(csv.DictReader(open("data/features.csv")))
columns = [c for c in rows[0] if c not in ("id", "churned")]
examples = [([float(r[c]) for c in columns] + [1.0], int(r["churned"])) for r in rows]
cut = len(examples) * 3 // 4
weights = [0.0] * (len(columns) + 1)


def predict(x):
    return 1 / (1 + math.exp(-sum(w * v for w, v in zip(weights, x))))


for epoch in range(params["epochs"]):
    for x, churned in examples[:cut]:
        error = churned - predict(x)
        weights = [w + params["learning_rate"] * error * v for w, v in zip(weights, x)]
right = sum((predict(x) > 0.5) == bool(churned) for x, churned in examples[cut:])
json.dump({"columns": columns, "weights": [round(w, 6) for w in weights]}, open("models/churn.json", "w"), indent=1)
json.dump({"accuracy": round(right / len(examples[cut:]), 4)}, open("metrics.json", "w"))
print(f"accuracy {right / len(examples[cut:]):.4f}")
