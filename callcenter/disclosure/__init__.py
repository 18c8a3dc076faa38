"""What may be said, to whom, at which level: the policy as data, and the gate that alone lets it out."""
