"""The ledger: who was told what, and what was refused. Only ever added to; holds references, never values."""
