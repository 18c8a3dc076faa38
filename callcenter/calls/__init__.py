"""One step of one call as one transaction: sessions, answers, audio, jobs; builds the ports that a flow is handed."""
