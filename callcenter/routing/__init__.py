"""Who waits, who is there to answer, who is offered to whom. Knows nothing of telephony, nothing of patients."""
