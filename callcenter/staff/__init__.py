"""Staff, and what they do outside of calls."""
