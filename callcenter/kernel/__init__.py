"""The ground: errors, identifiers, clock and random ports, protected values, labels. Knows nothing of any room."""
