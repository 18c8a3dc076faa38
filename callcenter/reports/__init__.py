"""What is made from the ledger and the calls for those who answer for them: lists, a call gone through again, paper."""
