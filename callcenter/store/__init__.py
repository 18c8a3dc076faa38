"""PostgreSQL: engine, embedded server, scopes of rows, sealed fields, jobs."""
