"""Backups of an installation: its database and its keys, in one folder that opens nothing by itself.

A backup is a folder: ``manifest.json`` says what it is; the other files are sealed (``sealed_files``) under a key that
is locked (``locks``) to a passphrase or to a recovery key. It is made whole or not at all, and restored into what is
empty or not at all. Decision 65 says why it is as it is.
"""
