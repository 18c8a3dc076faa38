"""What leaves callcenter by itself: notices to practitioners that messages wait, and reminders to patients."""
