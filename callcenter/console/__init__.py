"""The console: web pages of staff, made on the server. One listener of its own; no script but a small one of ours."""
