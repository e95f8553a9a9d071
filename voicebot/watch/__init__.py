"""What supervisors see of calls without listening, and what is sent out of them: mood, board, alerts, deliveries."""
