"""Copies images of handwritten digits into data/, a folder for each digit."""
import json
import os

import digits

with open("config/load.json", encoding="utf-8") as config:
    wanted = json.load(config)["num_images"]

for number, (pixels, digit) in enumerate(list(digits.all_digits())[: -digits.FOR_TESTS][:wanted]):
    os.makedirs(f"data/{digit}", exist_ok=True)
    with open(f"data/{digit}/{number:04}.pgm", "wb") as image:
        image.write(b"P5 8 8 16\n" + bytes(pixels))
print(f"{min(wanted, number + 1)} images")
