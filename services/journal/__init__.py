"""What the account did and why: trades with their notes, decision records, and figures that agree with the ledger."""
