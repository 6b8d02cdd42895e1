"""What may go wrong between a cockpit and its venue, row by row, and the test that provokes it."""
