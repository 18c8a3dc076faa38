"""The speech room: French as it is spoken, what callers key in, and the voices that turn words into sound."""
