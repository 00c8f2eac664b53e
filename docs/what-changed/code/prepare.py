"""From the raw export to what is trained on: every column but the id, scaled to 0..1."""
import csv

rows = list(csv.DictReader(open("data/raw/customers.csv")))
columns = [c for c in rows[0] if c not in ("id", "churned")]
largest = {c: max(float(r[c]) for r in rows) or 1.0 for c in columns}
with open("data/features.csv", "w", newline="") as out:
    table = csv.writer(out, lineterminator="\n")
    table.writerow(["id", *columns, "churned"])
    for r in rows:
        table.writerow([r["id"], *(f"{float(r[c]) / largest[c]:.4f}" for c in columns), r["churned"]])
print(f"{len(rows)} customers, {len(columns)} features")
