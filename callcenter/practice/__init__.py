"""Organisations, practices and their numbers; practitioners, patients, contacts, appointments, messages."""
