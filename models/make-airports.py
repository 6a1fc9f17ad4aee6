"""Makes models/airports/airports.csv: the airports of the flights that flight-records makes.

    pip install airportsdata==20260905
    python models/make-airports.py
"""

import csv
import re
from pathlib import Path

import airportsdata

ROOT = Path(__file__).resolve().parent.parent
ROUTES = ROOT / "operators/flight-records/src/routes.rs"
TABLE = ROOT / "models/airports/airports.csv"

pairs = re.findall(r'\("([A-Z]{3})", "([A-Z]{3})"', ROUTES.read_text())
codes = sorted({code for pair in pairs for code in pair})
airports = airportsdata.load("IATA")
with TABLE.open("w", newline="", encoding="utf-8") as file:
    table = csv.writer(file, lineterminator="\n")
    table.writerow(["iata", "name", "city", "state", "latitude", "longitude", "timezone"])
    for code in codes:
        # UCA, for one, is closed and in no list of today.
        if airport := airports.get(code):
            row = (airport[key] for key in ("name", "city", "subd", "lat", "lon", "tz"))
            table.writerow([code, *row])
