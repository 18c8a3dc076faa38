"""Who is calling: matching a claim, codes, evidence, levels, throttles."""
