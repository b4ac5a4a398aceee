"""The plan of repayment of one loan in equal payments, as CSV on stdout.

This runs on a node of the pool, with nothing but Python's standard library. Amounts are counted in cents; the last
payment takes what rounding has left.
"""

import argparse
import csv
import sys
from decimal import ROUND_HALF_UP, Decimal

CENT = Decimal("0.01")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--borrower", required=True)
    parser.add_argument("--amount", required=True, type=Decimal)
    parser.add_argument("--rate", required=True, type=Decimal, help="percent in a year")
    parser.add_argument("--months", required=True, type=int)
    given = parser.parse_args()
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(("borrower", "month", "payment", "interest", "left"))
    for month, payment, interest, left in plan(given.amount, given.rate / 1200, given.months):
        out.writerow((given.borrower, month, payment, interest, left))


def plan(amount: Decimal, monthly: Decimal, months: int) -> list[tuple[int, Decimal, Decimal, Decimal]]:
    """Month, payment, the interest in it, and what is left afterwards."""
    even = amount / months if not monthly else amount * monthly / (1 - (1 + monthly) ** -months)
    found, left = [], amount
    for month in range(1, months + 1):
        interest = cents(left * monthly)
        payment = left + interest if month == months else cents(even)
        left += interest - payment
        found.append((month, payment, interest, left))
    return found


def cents(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, ROUND_HALF_UP)


if __name__ == "__main__":
    main()
