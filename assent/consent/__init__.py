"""Who said yes to what: grants, their ledger and the decision; pure, so that every service decides alike."""
