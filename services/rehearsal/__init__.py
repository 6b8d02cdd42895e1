"""The rehearsal: an exchange that misbehaves as a child process, and a second cockpit that trades on it."""
