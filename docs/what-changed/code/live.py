"""How the model does on live customers, of whom nobody has been made an offer yet: python3 live.py MODEL"""
import json
import math
import random
import sys

model = json.load(open(sys.argv[1]))
rng = random.Random(7)
right = 0
for _ in range(2000):
    tenure, charge = rng.randrange(1, 72), rng.randrange(20, 120)
    calls = rng.choice([0, 0, 0, 1, 1, 2, 3, 5])
    churned = 0.9 * calls + 0.02 * charge - 0.06 * tenure + rng.gauss(0, 0.9) > 0.4
    known = {"tenure_months": tenure / 71, "monthly_charge": charge / 119, "support_calls": calls / 5}
    values = [known.get(c, 0.0) for c in model["columns"]] + [1.0]
    right += (sum(w * v for w, v in zip(model["weights"], values)) > 0) == churned
print(f"accuracy on live customers {right / 2000:.3f}")
