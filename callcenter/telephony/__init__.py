"""The carrier's edge: signed webhooks in, TwiML out; REST, messages and audio. Decides nothing about a call."""
