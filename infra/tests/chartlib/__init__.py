"""What the tests of the charts share: rendering with real Helm, schemas, and checks on objects.

A check takes rendered objects and returns what is wrong as sentences, so that the tests can show
both: that the charts as they are pass, and that a chart with the fault in it does not.
"""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
INFRA = ROOT / "infra"
