"""The flow language: load, prove, advance. A flow is data; what it needs from the world it is handed as small ports."""
