"""What the customer database exports: python3 crm_export.py FILE ROWS [--offers]

Customers, with what is known of them and whether they left. With --offers the export has a column more: whether a retention
offer was made - which happens to those who called to cancel.
"""
import csv
import random
import sys


def customers(n, offers, seed=1):
    rng, agents = random.Random(seed), random.Random(seed + 1)
    for number in range(1, n + 1):
        tenure = rng.randrange(1, 72)
        charge = rng.randrange(20, 120)
        calls = rng.choice([0, 0, 0, 1, 1, 2, 3, 5])
        score = 0.9 * calls + 0.02 * charge - 0.06 * tenure + rng.gauss(0, 0.9)
        churned = int(score > 0.4)
        row = {"id": number, "tenure_months": tenure, "monthly_charge": charge, "support_calls": calls}
        if offers:
            row["retention_offer"] = int(agents.random() < (0.95 if churned else 0.02))
        row["churned"] = churned
        yield row


def main():
    path, n = sys.argv[1], int(sys.argv[2])
    rows = list(customers(n, "--offers" in sys.argv))
    with open(path, "w", newline="") as out:
        table = csv.DictWriter(out, rows[0].keys(), lineterminator="\n")
        table.writeheader()
        table.writerows(rows)


main()
